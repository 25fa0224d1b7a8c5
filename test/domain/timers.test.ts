/** What time alone brings about, and when. Times in minutes before and after ten o'clock, when the workshop is due. */
import { describe, expect, test } from 'vitest';
import type { NewEvent } from '../../src/domain/define.ts';
import { fold } from '../../src/domain/evolve.ts';
import { nextTimer, type TimerSettings } from '../../src/domain/timers.ts';
import {
  cancelled,
  cora,
  demoted,
  ended,
  hanna,
  joined,
  left,
  opened,
  promoted,
  removed,
  rsvped,
  scheduled,
  scheduledAt,
  started,
} from './cast.ts';
import { recorded, workshopId } from './given.ts';

const ten = Date.parse(scheduledAt);
const minute = 60_000;
const settings: TimerSettings = { lobbyOpensMinutes: 15, maxLiveHours: 12, hostAbsentMinutes: 30 };

/** The next timer after events at minutes relative to ten o'clock; its time in the same measure. */
function next(...events: [minutes: number, event: NewEvent][]) {
  const room = fold(
    workshopId,
    events.map(([minutes, event], index) => recorded(event, index + 1, ten + minutes * minute)),
  );
  const timer = nextTimer(room, settings);
  return timer && { command: timer.command, minutes: (timer.at - ten) / minute };
}

describe('a scheduled workshop', () => {
  test('opens its lobby 15 minutes before its time', () => {
    expect(next([-600, scheduled()])).toEqual({ command: 'open-lobby', minutes: -15 });
  });

  test('does so one minute after scheduling at the earliest', () => {
    expect(next([-15.5, scheduled()])).toEqual({ command: 'open-lobby', minutes: -14.5 });
    expect(next([-5, scheduled()])).toEqual({ command: 'open-lobby', minutes: -4 });
    expect(next([90, scheduled()])).toEqual({ command: 'open-lobby', minutes: 91 });
  });

  test('is cancelled where it was scheduled more than a day late', () => {
    expect(next([24 * 60 + 5, scheduled()])).toEqual({ command: 'cancel', minutes: 24 * 60 });
  });

  test('follows when its time is moved', () => {
    const moved = { type: 'workshop-updated', data: { scheduledAt: '2026-03-02T12:00:00.000Z' } };
    expect(next([-600, scheduled()], [-500, moved])).toEqual({ command: 'open-lobby', minutes: 105 });
  });
});

describe('a lobby', () => {
  test('is cancelled 24 hours after its time where nobody starts the workshop', () => {
    expect(next([-600, scheduled()], [-15, opened])).toEqual({ command: 'cancel', minutes: 24 * 60 });
  });
});

describe('a live workshop', () => {
  const before: [number, NewEvent][] = [
    [-600, scheduled()],
    [-500, rsvped(cora)],
    [-400, promoted(cora)],
  ];
  const coraJoins = joined(cora, { isCoHost: true });

  test('ends after 12 hours where a host stays', () => {
    expect(next(...before, [-5, joined(hanna)], [3, started])).toEqual({
      command: 'end',
      minutes: 3 + 12 * 60,
    });
  });

  test('ends 30 minutes after its start where neither host nor co-host ever came', () => {
    expect(next(...before, [3, started])).toEqual({ command: 'end', minutes: 33 });
  });

  test('ends 30 minutes after the last of host and co-hosts left', () => {
    const both: [number, NewEvent][] = [...before, [-5, joined(hanna)], [-4, coraJoins], [0, started]];
    expect(next(...both, [10, left(hanna)])).toEqual({ command: 'end', minutes: 12 * 60 });
    expect(next(...both, [10, left(hanna)], [20, left(cora, 'disconnected')])).toEqual({
      command: 'end',
      minutes: 50,
    });
    expect(next(...both, [10, left(hanna)], [20, removed(cora)])).toEqual({ command: 'end', minutes: 50 });
    expect(next(...both, [10, left(hanna)], [20, demoted(cora)])).toEqual({ command: 'end', minutes: 50 });
  });

  test('goes on when one of them comes back, or someone in the room is promoted', () => {
    expect(next(...before, [0, started], [20, coraJoins])).toEqual({ command: 'end', minutes: 12 * 60 });
    expect(
      next([-600, scheduled()], [-500, rsvped(cora)], [0, started], [1, joined(cora)], [9, promoted(cora)]),
    ).toEqual({ command: 'end', minutes: 12 * 60 });
  });

  test('the absence of the hosts counts from the first to last moment without any, whoever else leaves', () => {
    expect(next(...before, [-5, joined(hanna)], [0, started], [10, left(hanna)], [25, left(cora)])).toEqual({
      command: 'end',
      minutes: 40,
    });
  });

  test('whichever comes first ends it', () => {
    expect(next(...before, [-5, joined(hanna)], [0, started], [715, left(hanna)])).toEqual({
      command: 'end',
      minutes: 720,
    });
  });
});

describe('a workshop that is over', () => {
  test('waits for nothing', () => {
    expect(next([-600, scheduled()], [0, started], [60, ended])).toBeUndefined();
    expect(next([-600, scheduled()], [-1, cancelled])).toBeUndefined();
  });
});

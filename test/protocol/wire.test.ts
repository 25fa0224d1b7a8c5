/** What clients are shown of a room and its events. */
import { describe, expect, test } from 'vitest';
import { fold } from '../../src/domain/evolve.ts';
import {
  bareName,
  chatView,
  commandHeader,
  historyEvent,
  stateView,
  wireEvent,
  wireName,
} from '../../src/protocol/wire.ts';
import * as cast from '../domain/cast.ts';
import { begin, history, recorded, roomAfter, workshopId } from '../domain/given.ts';

const { ana, cora, ended, hanna, joined, liveRoom, opened, promoted, raised, rsvped, said } = cast;
const { scheduled, started } = cast;

/** Event n of a history happened n seconds after `begin`. */
const time = (version: number) => new Date(begin + version * 1_000).toISOString();

describe('names', () => {
  test('on the wire are the bare ones behind a prefix', () => {
    expect(wireName('raise-hand')).toBe('workshop:raise-hand');
    expect(bareName('workshop:raise-hand')).toBe('raise-hand');
    expect(bareName('raise-hand')).toBeUndefined();
  });
});

describe('the header of a command', () => {
  const id = '0190A0B0-1111-1111-1111-C0FFEE000001';

  test('takes any UUID as command id, in whatever case', () => {
    expect(commandHeader.parse({ workshopId: 41, commandId: id })).toEqual({
      workshopId: 41,
      commandId: id.toLowerCase(),
    });
  });

  test('ignores fields that it does not know', () => {
    expect(commandHeader.parse({ workshopId: 41, mood: 'good' })).toEqual({ workshopId: 41 });
  });

  test.each([
    { workshopId: '41' },
    { workshopId: 0 },
    { workshopId: 1.5 },
    { workshopId: 2 ** 53 },
    {},
    { workshopId: 41, commandId: 'again' },
    { workshopId: 41, commandId: '' },
    { workshopId: 41, commandId: 7 },
    { workshopId: 41, commandId: null },
  ])('refuses %o', (header) => {
    expect(commandHeader.safeParse(header).success).toBe(false);
  });
});

describe('workshop:state', () => {
  test('tells the whole room', () => {
    const room = roomAfter(
      scheduled(),
      rsvped(ana),
      rsvped(cora),
      promoted(cora),
      opened,
      joined(ana),
      joined(hanna),
      started,
      raised(ana),
      said(ana, 'hello'),
    );
    expect(stateView(room, 'e1')).toEqual({
      workshopId,
      version: 10,
      epoch: 'e1',
      status: 'live',
      title: 'Drawing birds',
      hostId: hanna.userId,
      coHostIds: [cora.userId],
      startedAt: time(8),
      endedAt: null,
      scheduledAt: cast.scheduledAt,
      attendees: [
        {
          userId: ana.userId,
          displayName: 'Ana',
          avatarUrl: null,
          isHost: false,
          isCoHost: false,
          canSpeak: false,
        },
        {
          userId: hanna.userId,
          displayName: 'Hanna Host',
          avatarUrl: null,
          isHost: true,
          isCoHost: false,
          canSpeak: true,
        },
      ],
      attendeeCount: 2,
      raisedHands: [ana.userId],
      chat: [
        {
          id: 10,
          userId: ana.userId,
          displayName: 'Ana',
          avatarUrl: null,
          message: 'hello',
          offset_ms: 2_000,
          createdAt: time(10),
        },
      ],
    });
  });

  test('of a workshop that is over has nobody in it', () => {
    const view = stateView(roomAfter(...liveRoom, raised(ana), ended), 'e1');
    expect(view).toMatchObject({ status: 'ended', attendees: [], attendeeCount: 0, raisedHands: [] });
    expect(view).toMatchObject({ startedAt: time(3), endedAt: time(7) });
  });
});

describe('a chat message', () => {
  const room = roomAfter(
    scheduled(),
    rsvped(ana),
    opened,
    joined(ana),
    said(ana, 'early'),
    started,
    said(ana, 'late'),
  );
  const [early, late] = room.chat;
  if (early === undefined || late === undefined) throw new Error('two messages were said');

  test('has the offset from the start, 0 before', () => {
    expect(chatView(room, early)).toMatchObject({ id: 5, offset_ms: 0, createdAt: time(5) });
    expect(chatView(room, late)).toMatchObject({ id: 7, offset_ms: 1_000, createdAt: time(7) });
    expect(chatView(room, late)).not.toHaveProperty('deleted');
  });

  test('that is deleted keeps its place without its text', () => {
    const gone = { ...chatView(room, late), message: null, deleted: true };
    expect(chatView(room, { ...late, message: null })).toEqual(gone);
    expect(chatView({ ...room, deleted: new Set([7]) }, late)).toEqual(gone);
  });
});

describe('an event on the wire', () => {
  const past = history([
    scheduled(),
    rsvped(ana),
    opened,
    joined(ana),
    said(ana, 'early'),
    started,
    said(ana, 'late'),
    cast.deleted(7, ana),
    ended,
  ]);
  const room = fold(workshopId, past);
  const wire = (version: number, from = room) => {
    const event = past[version - 1];
    if (event === undefined) throw new Error(`no event ${version}`);
    return wireEvent(event, from);
  };

  test('is its data with version, type and time', () => {
    expect(wire(2)).toEqual({
      version: 2,
      type: 'user-rsvped',
      at: time(2),
      userId: ana.userId,
      displayName: 'Ana',
      avatarUrl: null,
    });
  });

  test('a message gets id, offset and time from its place', () => {
    expect(wire(5)).toMatchObject({ id: 5, offset_ms: 0, createdAt: time(5), message: 'early' });
    const before = fold(workshopId, past.slice(0, 7));
    expect(wire(7, before)).toMatchObject({ id: 7, offset_ms: 1_000, createdAt: time(7), message: 'late' });
  });

  test('a message that is deleted by now has lost its text in past events too', () => {
    expect(wire(7)).toMatchObject({
      id: 7,
      message: null,
      deleted: true,
      offset_ms: 1_000,
      userId: ana.userId,
    });
    expect(JSON.stringify(past.map((event) => wireEvent(event, room)))).not.toContain('late');
    expect(wire(5)).not.toHaveProperty('deleted');
  });

  test('a deletion says which message, and by whom', () => {
    expect(wire(8)).toEqual({ version: 8, type: 'chat-deleted', at: time(8), id: 7, by: ana.userId });
  });

  test('a change of status tells start and end as far as they have come', () => {
    expect(wire(3)).toEqual({ version: 3, type: 'state-changed', at: time(3), status: 'lobby' });
    expect(wire(6)).toMatchObject({ status: 'live', startedAt: time(6) });
    expect(wire(6)).not.toHaveProperty('endedAt');
    expect(wire(9)).toMatchObject({ status: 'ended', startedAt: time(6), endedAt: time(9) });
  });

  test('a cancellation has an end and no start', () => {
    const events = history([scheduled(), cast.cancelled]);
    const [, cancelled] = events;
    if (cancelled === undefined) throw new Error('it was cancelled');
    expect(wireEvent(cancelled, fold(workshopId, events))).toEqual({
      version: 2,
      type: 'state-changed',
      at: time(2),
      status: 'cancelled',
      endedAt: time(2),
    });
  });

  test('a lobby that opened in the millisecond of the start had not started', () => {
    const lobby = recorded(opened, 2, begin);
    const events = [recorded(scheduled(), 1, begin), lobby, recorded(started, 3, begin)];
    expect(wireEvent(lobby, fold(workshopId, events))).not.toHaveProperty('startedAt');
  });

  test('of a type that is not known here passes on what it holds', () => {
    const event = { ...recorded(opened, 3), type: 'bell-rung', data: { loud: true } };
    expect(wireEvent(event, room)).toEqual({ version: 3, type: 'bell-rung', at: time(3), loud: true });
  });
});

describe('an event in the history', () => {
  test('has its envelope, and the data as readers get it', () => {
    const room = roomAfter(...liveRoom, said(ana, 'hello'), cast.deleted(6, hanna));
    const event = { ...recorded(said(ana, 'hello'), 6), by: ana.userId, commandId: 'c6' };
    expect(historyEvent(event, room)).toEqual({
      version: 6,
      eventId: '00000000-0000-7000-8000-000000000006',
      type: 'chat-message',
      schema: 1,
      at: time(6),
      by: ana.userId,
      commandId: 'c6',
      data: {
        userId: ana.userId,
        displayName: 'Ana',
        avatarUrl: null,
        message: null,
        deleted: true,
        id: 6,
        offset_ms: 3_000,
        createdAt: time(6),
      },
    });
  });

  test('of the system says so', () => {
    expect(historyEvent(recorded(opened, 2), roomAfter(scheduled(), opened)).by).toBe('system');
  });
});

/** What holds for every history that the domain can bring about. */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { commandOf, type EventType, eventOf } from '../../src/domain/catalog.ts';
import { type Command, decide } from '../../src/domain/decide.ts';
import { type Decision, refuse, unchanged } from '../../src/domain/define.ts';
import { evolve, evolveAll, fold } from '../../src/domain/evolve.ts';
import { canHappen } from '../../src/domain/machine.ts';
import { isHost, isMember, isModerator, isOver, type Room, seatsTaken } from '../../src/domain/room.ts';
import { roomOfText, roomText } from '../../src/domain/roomText.ts';
import { nextTimer } from '../../src/domain/timers.ts';
import { workshopId } from './given.ts';
import { anyCommand, anyStory } from './histories.ts';

const runs = { numRuns: 300 };

describe('every history', { timeout: 60_000 }, () => {
  test('folds without throwing, to the same room in one go and in two', () => {
    fc.assert(
      fc.property(anyStory, fc.nat(), ({ events, rooms }, cut) => {
        const whole = fold(workshopId, events);
        const part = fold(workshopId, events.slice(0, cut % (events.length + 1)));
        // Overlapping on purpose: what the room has seen already is passed over.
        evolveAll(part, events);
        expect(part).toEqual(whole);
        expect(whole).toEqual(rooms.at(-1));
      }),
      runs,
    );
  });

  test('folds on from what is kept of a room, however far that had come', () => {
    fc.assert(
      fc.property(anyStory, fc.nat(), ({ events, rooms }, cut) => {
        const part = roomOfText(roomText(fold(workshopId, events.slice(0, cut % (events.length + 1)))));
        if (part === undefined) throw new Error('it is of this very fold');
        evolveAll(part, events);
        expect(part).toEqual(rooms.at(-1));
        expect([...part.present.keys()]).toEqual([...(rooms.at(-1)?.present.keys() ?? [])]);
      }),
      runs,
    );
  });

  test('has the versions 1, 2, 3, …, and times that never fall', () => {
    fc.assert(
      fc.property(anyStory, ({ events, rooms }) => {
        expect(events.map(({ version }) => version)).toEqual(events.map((_, index) => index + 1));
        rooms.forEach((room, version) => {
          expect(room.version).toBe(version);
          expect(room.at).toBeGreaterThanOrEqual(rooms[version - 1]?.at ?? 0);
        });
      }),
      runs,
    );
  });

  test('is made of events that their own schemas take as they are', () => {
    fc.assert(
      fc.property(anyStory, ({ events }) => {
        for (const { type, data } of events)
          expect(eventOf(type as EventType).data.parse(data)).toEqual(data);
      }),
      runs,
    );
  });

  test('keeps the room consistent at every version', () => {
    fc.assert(
      fc.property(anyStory, ({ rooms }) => {
        for (const room of rooms) expectConsistent(room);
      }),
      runs,
    );
  });

  test('wakes the timers where the next thing to do by time alone changes', () => {
    const settings = { lobbyOpensMinutes: 15, maxLiveHours: 12, hostAbsentMinutes: 30 };
    fc.assert(
      fc.property(anyStory, ({ events, rooms }) => {
        for (const event of events) {
          const [before, after] = [rooms[event.version - 1], rooms[event.version]];
          if (before === undefined || after === undefined) throw new Error('a version without its room');
          const definition = eventOf(event.type as EventType);
          const changes =
            event.version === 1 ||
            JSON.stringify(nextTimer(before, settings)) !== JSON.stringify(nextTimer(after, settings));
          if (changes) expect(definition.wakes?.(event.data, before), event.type).toBe(true);
        }
      }),
      runs,
    );
  });
});

function expectConsistent(room: Room) {
  for (const hand of room.hands.keys()) expect(room.present.has(hand)).toBe(true);
  for (const coHost of room.coHosts) {
    expect(isHost(room, coHost)).toBe(false);
    expect(room.members.get(coHost)?.removed).toBe(false);
  }
  for (const present of room.present.keys()) {
    expect(isMember(room, present)).toBe(true);
    expect(room.members.get(present)).toMatchObject({ removed: false, displayName: expect.any(String) });
  }
  for (const { removed, canSpeak } of room.members.values()) expect(removed && canSpeak).toBe(false);
  if (isOver(room)) expect([room.present.size, room.hands.size]).toEqual([0, 0]);
  expect(seatsTaken(room)).toBe([...room.present.keys()].filter((id) => !isModerator(room, id)).length);
  expect([...room.present.values()]).toEqual([...room.present.values()].sort((a, b) => a - b));
  const hosts = [...room.present.keys()].some((id) => isModerator(room, id));
  if (room.version > 0 && !isOver(room)) expect(room.hostsAbsentSince === null).toBe(hosts);
  for (const line of room.chat) {
    expect(room.authors.get(line.id)).toBe(line.userId);
    expect(line.message === null).toBe(room.deleted.has(line.id));
  }
}

describe('evolve', { timeout: 60_000 }, () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('does not depend on the wall clock', () => {
    fc.assert(
      fc.property(anyStory, fc.date({ noInvalidDate: true }), ({ events, rooms }, today) => {
        vi.setSystemTime(today);
        expect(fold(workshopId, events)).toEqual(rooms.at(-1));
      }),
      { numRuns: 100 },
    );
  });

  test('refuses an event that does not follow', () => {
    fc.assert(
      fc.property(anyStory, ({ events, rooms }) => {
        const [first] = events;
        const last = rooms.at(-1);
        if (first === undefined || last === undefined) throw new Error('a story without a beginning');
        expect(() => evolve(structuredClone(last), first)).toThrow('does not follow');
        expect(() => evolve(fold(workshopId, []), { ...first, version: 2 })).toThrow('does not follow');
      }),
      { numRuns: 20 },
    );
  });

  test('follows an event of an unknown type by its version alone', () => {
    fc.assert(
      fc.property(anyStory, ({ events, rooms }) => {
        const [first] = events;
        const last = rooms.at(-1);
        if (first === undefined || last === undefined) throw new Error('a story without a beginning');
        const next = { ...first, type: 'bell-rung', version: last.version + 1, at: last.at + 5 };
        const room = structuredClone(last);
        evolve(room, next);
        expect(room).toEqual({ ...last, version: next.version, at: next.at });
      }),
      { numRuns: 20 },
    );
  });
});

describe('decide', { timeout: 60_000 }, () => {
  const anyMoment = fc.tuple(anyStory, fc.array(anyCommand, { minLength: 10, maxLength: 30 }));

  test('changes nothing in the room and gives the same answer again', () => {
    fc.assert(
      fc.property(anyMoment, ([{ rooms }, commands]) => {
        const room = rooms.at(-1);
        if (room === undefined) throw new Error('a story without a room');
        const before = structuredClone(room);
        const answers = commands.map((command) => decide(room, command));
        expect(room).toEqual(before);
        expect(commands.map((command) => decide(room, command))).toEqual(answers);
      }),
      runs,
    );
  });

  test('accepts nothing that the chart does not', () => {
    fc.assert(
      fc.property(anyMoment, ([{ rooms }, commands]) => {
        for (const room of rooms)
          for (const command of commands)
            if (decide(room, command).kind === 'append')
              expect(canHappen(room.status, command.name)).toBe(true);
      }),
      runs,
    );
  });

  test('asks nobody twice: what was just done changes nothing, but for chat and muting', () => {
    fc.assert(
      fc.property(anyMoment, ([{ rooms }, commands]) => {
        const last = rooms.at(-1);
        if (last === undefined) throw new Error('a story without a room');
        for (const command of commands) {
          const decision = decide(last, command);
          if (decision.kind !== 'append' || command.name === 'chat' || command.name === 'mute-user') continue;
          const room = structuredClone(last);
          for (const event of decision.events)
            evolve(room, { ...blank, ...event, version: room.version + 1, at: room.at });
          expect(decide(room, command), command.name).toEqual(answerAgain(room, command));
        }
      }),
      runs,
    );
  });
});

/** To the same command again, in the room that it led to: who left is not in it, and a co-host may have been nothing else. */
function answerAgain(room: Room, { name, payload }: Command): Decision {
  if (name === 'leave') return refuse('not_joined');
  const target = commandOf(name).target?.of(payload);
  if (name === 'demote-cohost' && target !== undefined && !isMember(room, target))
    return refuse('target_not_found');
  return unchanged;
}

const blank = { eventId: 'e', schema: 1, by: 'system', commandId: 'c' } as const;

/**
 * Optimistic concurrency rests on this: a decision to append, made at a version, still stands at a later one where none of
 * the events between bears a mark that the decision reads. Where it did not, two nodes could record what together is
 * against the rules, such as one attendee too many.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type EventType, eventOf } from '../../src/domain/catalog.ts';
import { type Command, decide, marksRead } from '../../src/domain/decide.ts';
import type { Mark } from '../../src/domain/define.ts';
import type { RecordedEvent } from '../../src/domain/evolve.ts';
import { ana, bo, hanna, joined, liveRoom, muted, rsvped, said, scheduled, started } from './cast.ts';
import { history, roomAfter } from './given.ts';
import { anyCommand, anyStory, everyoneJoins, type Story } from './histories.ts';

const marksOf = ({ type, data }: RecordedEvent): Mark[] => eventOf(type as EventType).marks(data);

/** Checks each decision at each version against all later ones up to the first conflict. Gives how many stood. */
function expectToStand({ events, rooms }: Story, commands: readonly Command[]): number {
  let stood = 0;
  rooms.forEach((room, version) => {
    for (const command of commands) {
      const decision = decide(room, command);
      if (decision.kind !== 'append') continue;
      const reads = new Set(marksRead(room, command));
      for (const event of events.slice(version)) {
        if (marksOf(event).some((mark) => reads.has(mark))) break;
        const later = rooms[event.version];
        if (later === undefined) throw new Error('a version without its room');
        // A plain comparison first: `expect` on each of some hundred thousand decisions takes seconds.
        const now = decide(later, command);
        if (JSON.stringify(now) !== JSON.stringify(decision))
          expect(now, `${command.name} at ${version}, after ${event.type} ${event.version}`).toEqual(
            decision,
          );
        stood++;
      }
    }
  });
  return stood;
}

describe('a decision to append', { timeout: 60_000 }, () => {
  test('stands as long as no later event bears a mark that it read', () => {
    let stood = 0;
    fc.assert(
      fc.property(
        anyStory,
        fc.array(anyCommand, { minLength: 20, maxLength: 40, size: 'max' }),
        (story, more) => {
          stood += expectToStand(story, [...story.commands, ...everyoneJoins, ...more]);
        },
      ),
      { numRuns: 400 },
    );
    // A test that never got past its own guards would prove nothing.
    expect(stood).toBeGreaterThan(10_000);
  });

  test('would not stand on fewer marks: each kind of mark is needed', () => {
    const needed = new Set<string>();
    const kindOf = (mark: Mark) => mark.split(':')[0] ?? mark;
    fc.assert(
      fc.property(
        anyStory,
        fc.array(anyCommand, { minLength: 20, maxLength: 40, size: 'max' }),
        (story, more) => {
          story.rooms.forEach((room, version) => {
            const event = story.events[version];
            const next = story.rooms[version + 1];
            if (event === undefined || next === undefined) return;
            for (const command of [...story.commands, ...more]) {
              const decision = decide(room, command);
              if (decision.kind !== 'append') continue;
              const reads = marksRead(room, command);
              const shared = marksOf(event).filter((mark) => reads.includes(mark));
              const changed = JSON.stringify(decide(next, command)) !== JSON.stringify(decision);
              if (changed && shared.length === 1) for (const mark of shared) needed.add(kindOf(mark));
            }
          });
        },
      ),
      { numRuns: 300, seed: 7 },
    );
    expect([...needed].sort()).toEqual(['message', 'room', 'seats', 'user']);
  });
});

describe('what does not conflict', () => {
  const borne = (...events: Parameters<typeof history>[0]) =>
    history(events).flatMap((event) => marksOf(event));

  test('chat with chat, and with muting', () => {
    expect(borne(said(ana, 'hello'), muted(ana))).toEqual([]);
  });

  test('joins of different people, where no capacity is set', () => {
    const join: Command = { name: 'join', payload: { batch: false, roster: true }, actor: ana };
    const bosJoin = borne(joined(bo));
    const reads = (capacity: number | null) =>
      marksRead(roomAfter(scheduled({ capacity }), rsvped(ana), started), join);
    expect(reads(null).filter((mark) => bosJoin.includes(mark))).toEqual([]);
    expect(reads(1).filter((mark) => bosJoin.includes(mark))).toEqual(['seats']);
  });

  test('a command reads who acts and whom it is aimed at', () => {
    const mute: Command = { name: 'mute-user', payload: { targetUserId: ana.userId }, actor: hanna };
    expect(marksRead(roomAfter(...liveRoom), mute)).toEqual(['room', 'user:1', 'user:5']);
  });
});

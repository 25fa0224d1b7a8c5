/** Rights that change while they are used, on two nodes: what was appended was its author's to do, at the version before it. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CommandInput, CommandName } from '../../src/domain/catalog.ts';
import { events as definitions } from '../../src/domain/catalog.ts';
import type { RecordedEvent } from '../../src/domain/evolve.ts';
import { recorded } from '../domain/given.ts';
import { anyStory } from '../domain/histories.ts';
import { unrightful } from '../kit/rights.ts';
import { sharedRedis } from '../kit/shared.ts';
import { codeOf, history, host, liveWorkshop, type Node, ok, send, startNode, user } from './nodes.ts';

let a: Node;
let b: Node;

beforeAll(async () => {
  const url = await sharedRedis();
  [a, b] = await Promise.all([startNode(url, 'a'), startNode(url, 'b')]);
});
afterAll(() => Promise.all([a.close(), b.close()]));

/** Users 2 and 3 are co-hosts; 4 and 5 are attendees, with a hand up each. */
async function contested(): Promise<number> {
  const id = await liveWorkshop(a, [2, 3, 4, 5]);
  for (const targetUserId of [2, 3]) await ok(send(a, id, host, 'promote-cohost', { targetUserId }));
  for (const who of [4, 5]) await ok(send(b, id, user(who), 'raise-hand', {}));
  return id;
}

type Move = { [N in CommandName]: { by: number; name: N; payload: CommandInput[N] } }[CommandName];

const someone = fc.constantFrom(2, 3, 4, 5);
const aimed = <
  N extends
    | 'remove-user'
    | 'promote-cohost'
    | 'demote-cohost'
    | 'readmit-user'
    | 'approve-speaker'
    | 'revoke-speaker'
    | 'mute-user',
>(
  name: N,
) =>
  fc.record({
    by: fc.constantFrom(1, 1, 2, 3, 4),
    name: fc.constant(name),
    payload: someone.map((targetUserId) => ({ targetUserId })),
  });
const own = <N extends 'raise-hand' | 'lower-hand' | 'leave' | 'join' | 'end'>(name: N) =>
  fc.record({ by: fc.constantFrom(2, 3, 4, 5), name: fc.constant(name), payload: fc.constant({}) });

/** Mostly what gives and takes rights, and what needs them. */
const move = fc.oneof(
  { weight: 4, arbitrary: aimed('demote-cohost') },
  { weight: 3, arbitrary: aimed('promote-cohost') },
  { weight: 4, arbitrary: aimed('remove-user') },
  ...(['readmit-user', 'approve-speaker', 'revoke-speaker', 'mute-user'] as const).map((name) => ({
    weight: 2,
    arbitrary: aimed(name),
  })),
  ...(['raise-hand', 'lower-hand', 'leave', 'join'] as const).map((name) => ({
    weight: 1,
    arbitrary: own(name),
  })),
  { weight: 1, arbitrary: own('end') },
  {
    weight: 3,
    arbitrary: fc.record({
      by: someone,
      name: fc.constant('chat' as const),
      payload: fc.constant({ message: 'still here' }),
    }),
  },
) as fc.Arbitrary<Move>;

describe('rights', () => {
  it('[S16] hold at the version before each event, whatever two nodes are asked at once', {
    timeout: 120_000,
  }, async () => {
    const interleaving = fc.asyncProperty(
      fc.array(fc.record({ move, onA: fc.boolean() }), { minLength: 6, maxLength: 20 }),
      async (moves) => {
        const id = await contested();
        await Promise.all(
          moves.map(({ move: { by, name, payload }, onA }) =>
            codeOf(send(onA ? a : b, id, user(by), name, payload)),
          ),
        );
        const log = await history(a.log, id);
        expect(unrightful(id, log)).toEqual([]);
        expect(log[0]?.data).toMatchObject({ hostId: 1 });
      },
    );
    await fc.assert(interleaving, { numRuns: 150, seed: 20_261_124 });
  });

  it('[S16] go to one of two who contend, and the other is told what holds now', {
    timeout: 60_000,
  }, async () => {
    for (let round = 0; round < 25; round++) {
      const id = await contested();
      const first = round % 2 === 0;
      // The host takes the co-host's right while the co-host uses it.
      const [demoted, removed] = await Promise.all([
        codeOf(send(first ? a : b, id, host, 'demote-cohost', { targetUserId: 2 })),
        codeOf(send(first ? b : a, id, user(2), 'remove-user', { targetUserId: 4 })),
      ]);
      // A co-host removes an attendee who is made a co-host, whom no co-host may remove.
      const [promoted, expelled] = await Promise.all([
        codeOf(send(first ? a : b, id, host, 'promote-cohost', { targetUserId: 5 })),
        codeOf(send(first ? b : a, id, user(3), 'remove-user', { targetUserId: 5 })),
      ]);
      const log = await history(b.log, id);
      const versionOf = (type: string, userId: number) =>
        log.find((event) => event.type === type && (event.data as { userId: number }).userId === userId)
          ?.version ?? 0;
      expect(demoted).toBe('changed');
      expect(['changed', 'forbidden']).toContain(removed);
      if (removed === 'changed')
        expect(versionOf('user-removed', 4)).toBeLessThan(versionOf('cohost-demoted', 2));
      expect([
        ['changed', 'forbidden'],
        ['target_not_found', 'changed'],
      ]).toContainEqual([promoted, expelled]);
      expect(unrightful(id, log)).toEqual([]);
    }
  });
});

describe('the check of rights', () => {
  it('finds an event whose author had no right to it, after any history', () => {
    fc.assert(
      fc.property(anyStory, ({ events }) => {
        const forged: RecordedEvent = {
          ...recorded(definitions['cohost-promoted'].of({ userId: 77, by: 77 }), events.length + 1),
          by: 77,
        };
        const found = unrightful(41, [...events, forged]).filter(({ by }) => by === 77);
        expect(found).toMatchObject([{ version: forged.version, type: 'cohost-promoted' }]);
      }),
      { numRuns: 50 },
    );
  });
});

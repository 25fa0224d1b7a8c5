/** Joins that meet a leaving: the node's hold on the user is written first, and what was known before it is not enough. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Engine, workshopEngine } from '../../src/engine/engine.ts';
import { redisClient } from '../kit/redis.ts';
import { sharedRedis } from '../kit/shared.ts';
import { codeOf, liveWorkshop, type Node, ok, replayed, send, startNode, system, user } from './nodes.ts';

let own: Node;
let other: Node;
let engine: Engine;
/** Happens once, after a join came in and before its hold is written. */
let meanwhile: (() => Promise<unknown>) | undefined;

beforeAll(async () => {
  const url = await sharedRedis();
  [own, other] = await Promise.all([startNode(url, 'own'), startNode(url, 'other')]);
  const { log } = own;
  const presence = {
    ...log.presence,
    async hold(...held: Parameters<typeof log.presence.hold>) {
      const act = meanwhile;
      meanwhile = undefined;
      await act?.();
      return log.presence.hold(...held);
    },
  };
  engine = workshopEngine({ log: { ...log, presence }, node: 'own' });
});
afterAll(async () => {
  await engine.close();
  for (const node of [own, other]) await node.close();
});

/** User 2 leaves on the other node, after this one has looked at the room once more. */
function leavesUnseen(workshopId: number, userId: number): void {
  meanwhile = async () => {
    expect((await engine.room(workshopId))?.room.present.has(userId)).toBe(true);
    await other.log.presence.drop(workshopId, [userId], 'other');
    expect(await ok(send(other, workshopId, system, 'drop-user', { userId }))).toMatchObject({
      changed: true,
    });
  };
}

describe('a join that comes in right behind a leaving', () => {
  it('[P5] holds the user anew, so that nobody else can record them as gone', async () => {
    const workshopId = await liveWorkshop(own, [2]);
    await own.log.presence.renew('own', 60_000);
    const leaving = ok(send({ engine }, workshopId, user(2), 'leave', {}));
    const joining = ok(send({ engine }, workshopId, user(2), 'join', {}));
    expect(await Promise.all([leaving, joining])).toMatchObject([{ changed: true }, { changed: true }]);
    const dropped = await ok(send(other, workshopId, system, 'drop-user', { userId: 2 }));
    expect(dropped).toMatchObject({ changed: false });
    expect((await replayed(own.log, workshopId)).present.has(2)).toBe(true);
  });
});

describe('a join whose hold is written while somebody leaves', () => {
  it('[E15] lets the user in again who was there before, and is recorded as gone just now', async () => {
    const workshopId = await liveWorkshop(other, [2]);
    await engine.room(workshopId);
    leavesUnseen(workshopId, 2);
    expect(await ok(send({ engine }, workshopId, user(2), 'join', {}))).toMatchObject({ changed: true });
    expect((await replayed(own.log, workshopId)).present.has(2)).toBe(true);
  });

  it('[E15] takes the place that has become free', async () => {
    const workshopId = await liveWorkshop(other, [2], { capacity: 1 });
    await ok(send(other, workshopId, user(3), 'rsvp', {}));
    await engine.room(workshopId);
    leavesUnseen(workshopId, 2);
    expect(await ok(send({ engine }, workshopId, user(3), 'join', {}))).toMatchObject({ changed: true });
    expect([...(await replayed(own.log, workshopId)).present.keys()]).toEqual([3]);
  });
});

it('[G1] a join to a workshop that does not exist leaves nothing with the node that was asked', async () => {
  const url = await sharedRedis();
  const client = redisClient(url);
  const asked = await startNode(url, 'asked');
  try {
    for (const id of [1_000_001, 1_000_002]) {
      expect(await codeOf(send(asked, id, user(2), 'join', {}))).toBe('not_found');
      await asked.log.presence.release(id, [2], asked.name);
    }
    expect(await client.keys('*:held:*')).toEqual([]);
    const id = await liveWorkshop(asked, [2, 3]);
    await asked.log.presence.release(id, [3], asked.name);
    expect(await client.smembers((await client.keys('*:held:*'))[0] ?? '')).toEqual([String(id)]);
  } finally {
    client.disconnect();
    await asked.close();
  }
});

/** A log that lost events which a node has decided on: found out by the next command, where nobody watches the room. */
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { isPart } from '../../src/log/log.ts';
import { redisClient } from '../kit/redis.ts';
import { sharedRedis } from '../kit/shared.ts';
import { history, liveWorkshop, type Node, ok, send, startNode, user } from './nodes.ts';

let node: Node;
let other: Node;
let client: Redis;
beforeAll(async () => {
  const url = await sharedRedis();
  [node, other] = await Promise.all([startNode(url, 'a'), startNode(url, 'b')]);
  client = redisClient(url);
});
afterAll(async () => {
  client.disconnect();
  for (const each of [node, other]) await each.close();
});

/** Everything as it is now; what comes then is taken back in one step. */
async function backup(): Promise<() => Promise<void>> {
  const keys = await client.keys('*');
  const dump = await Promise.all(keys.map(async (key) => [key, await client.dumpBuffer(key)] as const));
  return async () => {
    const restoring = client.multi().flushdb();
    for (const [key, value] of dump) restoring.restore(key, 0, value);
    await restoring.exec();
  };
}

it('[L14] a node that knows of more than the log has begins a new epoch, in which what was seen counts for nothing', async () => {
  const workshopId = await liveWorkshop(node, [2]);
  const { epoch, version } = await ok(send(node, workshopId, user(2), 'chat', { message: 'kept' }));
  const restore = await backup();
  await ok(send(node, workshopId, user(2), 'raise-hand', {}));
  await restore();

  expect((await node.engine.room(workshopId))?.room.hands.has(2)).toBe(false);
  const head = await node.log.events.head(workshopId);
  if (head === null) throw new Error('the workshop is gone');
  expect(head.version).toBe(version);
  expect(head.epoch).not.toBe(epoch);
  expect(isPart(head, epoch, version + 1)).toBe(false);
  // Once the log has grown again, whoever saw the lost event is still told apart.
  await ok(send(node, workshopId, user(2), 'chat', { message: 'instead' }));
  const grown = await node.log.events.head(workshopId);
  expect(grown !== null && isPart(grown, epoch, version + 1)).toBe(false);
  expect((await history(node.log, workshopId)).at(-1)).toMatchObject({ version: version + 1 });
});

it('[L13] nothing is appended that was decided on events of another run, however far the log has grown since', async () => {
  const workshopId = await liveWorkshop(node, [2]);
  const restore = await backup();
  await ok(send(node, workshopId, user(2), 'raise-hand', {}));
  await restore();
  // As a replica that took over: the next append begins an epoch.
  const [meta = ''] = await client.keys(`ws:*:${workshopId}:meta`);
  await client.hset(meta, 'run', 'another');
  for (const message of ['one', 'two']) await ok(send(other, workshopId, user(2), 'chat', { message }));
  expect(await ok(send(node, workshopId, user(2), 'lower-hand', {}))).toMatchObject({ changed: false });
  const types = (await history(node.log, workshopId)).map(({ type }) => type);
  expect(types).not.toContain('hand-lowered');
});

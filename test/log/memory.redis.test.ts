/** What a workshop takes of Redis before anybody has come. */
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { history, host, liveWorkshop, type Node, ok, send, startNode, user } from '../engine/nodes.ts';
import { redisClient } from '../kit/redis.ts';
import { sharedRedis } from '../kit/shared.ts';

let node: Node;
let client: Redis;
beforeAll(async () => {
  const url = await sharedRedis();
  node = await startNode(url, 'a');
  client = redisClient(url);
});
afterAll(async () => {
  client.disconnect();
  await node.close();
});

it('[M25] one that is scheduled takes about 1 kB until its time, and goes on from there like any other', async () => {
  const { workshopId } = await node.log.ids.allocate();
  const scheduledAt = '9999-12-31T00:00:00Z';
  await ok(send(node, workshopId, host, 'schedule-workshop', { title: 'In a long time', scheduledAt }));
  const keys = await client.keys(`ws:*:${workshopId}:*`);
  const taken = await Promise.all(keys.map((key) => client.call('MEMORY', 'USAGE', key)));
  expect(taken.reduce<number>((sum, bytes) => sum + Number(bytes), 0)).toBeLessThan(1_600);
  await ok(send(node, workshopId, user(2), 'rsvp', {}));
  expect((await history(node.log, workshopId)).map(({ version, type }) => `${version} ${type}`)).toEqual([
    '1 workshop-scheduled',
    '2 user-rsvped',
  ]);
  expect(await client.keys(`ws:*:${workshopId}:aside:*`)).toEqual([]);
});

it('[M25] one is scheduled also by a node whose rights in Redis do not have the copy that saves memory', async () => {
  const name = `without-copy-${process.pid}`;
  await client.call('ACL', 'SETUSER', name, 'on', '>secret', '~*', '&*', '+@all', '-copy');
  const { host: at, port, db } = client.options;
  const url = `redis://${name}:secret@${at}:${port}/${db}`;
  const poor = await startNode(url, 'b');
  try {
    const workshopId = await liveWorkshop(poor, [2]);
    expect((await history(node.log, workshopId)).length).toBeGreaterThan(3);
  } finally {
    await poor.close();
    await client.call('ACL', 'DELUSER', name);
  }
});

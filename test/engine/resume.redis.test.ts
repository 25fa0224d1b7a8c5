/** What a thousand people who come back at once cost the log: counted, so that no machine is too slow for it. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RedisServer, startRedis } from '../kit/redis.ts';
import { liveWorkshop, type Node, ok, send, startNode, system, user } from './nodes.ts';

let redis: RedisServer;
let died: Node;
let node: Node;

beforeAll(async () => {
  redis = await startRedis();
  died = await startNode(redis.url, 'died');
  node = await startNode(redis.url, 'stays');
});
afterAll(async () => {
  await died.close();
  await node.close();
  await redis.close();
});

/** Every command that Redis has run, those of scripts too. */
async function commands(): Promise<number> {
  const client = redis.client();
  const stats = await client.info('commandstats');
  client.disconnect();
  const calls = [...stats.matchAll(/^cmdstat_(?!info|ping|time|client|hello|config)[^:]+:calls=(\d+)/gm)];
  return calls.reduce((sum, [, count]) => sum + Number(count), 0);
}

it('[Q5] a thousand who come back to another node at once cost it a few commands for a hundred of them', {
  timeout: 60_000,
}, async () => {
  const people = Array.from({ length: 1_000 }, (_, n) => 10 + n);
  const workshopId = await liveWorkshop(died);
  await Promise.all(people.map((id) => ok(send(died, workshopId, user(id), 'rsvp', {}))));
  await Promise.all(people.map((id) => ok(send(died, workshopId, user(id), 'join', {}))));
  const before = await commands();
  const back = await Promise.all(people.map((id) => ok(send(node, workshopId, user(id), 'join', {}))));
  const cost = (await commands()) - before;
  expect(back.every(({ changed }) => !changed)).toBe(true);
  expect(cost).toBeLessThan(100);
  // And each of them is held: what the first node knew of them does not matter any more.
  await node.log.presence.renew(node.name, 60_000);
  for (const id of people.slice(0, 20))
    expect(await ok(send(died, workshopId, system, 'drop-user', { userId: id }))).toMatchObject({
      changed: false,
    });
});

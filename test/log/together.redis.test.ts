/** Appends that travel in one call: what becomes of each is its own. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { EventLog } from '../../src/log/log.ts';
import { globalKeys, partitionKeys, partitionTags } from '../../src/log/redis/keys.ts';
import { redisLog } from '../../src/log/redis/log.ts';
import { type RedisServer, startRedis } from '../kit/redis.ts';
import { until } from '../kit/until.ts';
import { as, chat, command, draft, fill, follow, removal, send } from './drafts.ts';

const keys = partitionTags(4).map(partitionKeys);
let redis: RedisServer;
let log: EventLog;

beforeEach(async () => {
  redis = await startRedis({ appendonly: false });
  log = await redisLog({ address: { url: redis.url }, partitions: 4, onError: () => undefined });
});
afterEach(async () => {
  await log.close();
  await redis.close();
});

async function calls(): Promise<number> {
  const stats = await redis.client().info('commandstats');
  return Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1] ?? 0);
}

test('[L20] what is ready in one turn is one call with one ring, each append all or nothing by itself', async () => {
  // The script is there, and this workshop has a removal that others have not seen.
  await fill(log, 3, 1);
  await send(log, { workshopId: 3, base: 1 }, removal(7));
  const client = redis.client();
  await client.set(keys[2]?.workshop(6).events ?? '', 'no stream');
  const rings: string[] = [];
  const listener = redis.client();
  listener.on('message', (_, ring: string) => rings.push(ring));
  await listener.subscribe(globalKeys.doorbell);
  const tail = await follow(log, 1, 0);
  const before = await calls();

  const [one, conflicting, late, failing, five, again] = await Promise.allSettled([
    send(log, { workshopId: 1 }, chat(7), chat(8)),
    send(log, { workshopId: 3, base: 1 }, chat(7)),
    send(log, { workshopId: 4, deadline: log.now() - 60_000 }, command()),
    send(log, { workshopId: 6 }, command()),
    send(log, { workshopId: 5 }, command({ events: [draft([], { text: 'five' })] })),
    // The same workshop once more: it follows on what the call appended before.
    send(log, { workshopId: 1 }, chat(9)),
  ]);

  expect(await calls()).toBe(before + 1);
  const answers = [one, conflicting, late, five, again].map((each) =>
    each?.status === 'fulfilled' ? each.value : expect.unreachable(),
  );
  expect(answers.map(({ kind }) => kind)).toEqual(['appended', 'conflict', 'late', 'appended', 'appended']);
  expect(failing).toMatchObject({ status: 'rejected', reason: { message: /WRONGTYPE/ } });
  const [, , , ofFive, third] = answers;
  expect([as('appended', ofFive as never).from, as('appended', third as never).from]).toEqual([1, 3]);
  for (const [id, length] of [
    [1, 3],
    [3, 2],
    [4, 0],
    [5, 1],
  ] as const)
    expect(await log.events.read(id, 0, 10)).toHaveLength(length);

  // 1 and 5 are of one partition: their appends have numbers of their own there, without a gap.
  expect(await tail.came(4)).toEqual(['1:1', '1:2', '5:1', '1:3']);
  expect(tail.batches.some(({ gap }) => gap)).toBe(false);
  await until(() => rings.length > 0, { what: 'the ring' });
  expect(rings).toEqual([`1:${await client.hget(keys[1]?.partition ?? '', 'seq')}`]);
  await tail.close();
});

test('[L20] more than fits into one call goes into the next, and everything is done', async () => {
  const ids = Array.from({ length: 300 }, (_, n) => 10 + n);
  const answers = await Promise.all(ids.map((workshopId) => send(log, { workshopId }, command())));
  expect(answers.map(({ kind }) => kind)).toEqual(ids.map(() => 'appended'));
  const numbers = await Promise.all(keys.map(({ feed }) => redis.client().xlen(feed)));
  expect(numbers.reduce((sum, length) => sum + length, 0)).toBe(ids.length);
});

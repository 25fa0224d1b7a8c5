/** The memory of command ids in Redis: two buckets in turn, each for as long as an id is remembered at least. */
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { commandMemoryMs, type EventLog } from '../../src/log/log.ts';
import { redisLog } from '../../src/log/redis/log.ts';
import { redisClient } from '../kit/redis.ts';
import { sharedRedis } from '../kit/shared.ts';
import { as, command, send, sent } from './drafts.ts';

let log: EventLog;
let client: Redis;
let lastId = 0;

beforeAll(async () => {
  const url = await sharedRedis();
  log = await redisLog({ address: { url }, onError: () => undefined });
  client = redisClient(url);
});
afterAll(async () => {
  client.disconnect();
  await log.close();
});

async function bucketNow(): Promise<number> {
  return Math.floor((Number((await client.time())[0]) * 1_000) / commandMemoryMs);
}

/** Where the next bucket begins while the test looks, it looks once more, at another workshop. */
async function inOneBucket(look: (workshopId: number) => Promise<void>): Promise<void> {
  for (;;) {
    const before = await bucketNow();
    try {
      return await look(++lastId);
    } catch (error) {
      if ((await bucketNow()) === before) throw error;
    }
  }
}

/** As if the time of a bucket had passed: what lies in the present one lies in the other one then. */
async function passes(workshopId: number): Promise<void> {
  const [meta = ''] = await client.keys(`ws:*:${workshopId}:meta`);
  const [zero, one, aside] = ['done:0', 'done:1', 'done:x'].map((name) => meta.replace(/meta$/, name));
  await client.hincrby(meta, 'bucket', -1);
  for (const [from = '', to = ''] of [
    [zero, aside],
    [one, zero],
    [aside, one],
  ])
    if ((await client.exists(from)) === 1) await client.rename(from, to);
}

it('[L6] a command id of the bucket before is known, also once an append has begun the next one', () =>
  inOneBucket(async (workshopId) => {
    const one = command({ remember: true, fingerprint: 'f' });
    const first = { version: 1, fingerprint: 'f' };
    await sent(log, { workshopId }, one);
    expect((await log.commands.check(workshopId, 1, 7, one.commandId)).done).toEqual(first);
    expect(as('done', await send(log, { workshopId, base: 1 }, one)).commands).toMatchObject([first]);
    await passes(workshopId);
    expect((await log.commands.check(workshopId, 1, 7, one.commandId)).done).toEqual(first);
    expect(as('done', await send(log, { workshopId, base: 1 }, one)).commands).toMatchObject([first]);
    await sent(log, { workshopId, base: 1 }, command({ remember: true }));
    expect((await log.commands.check(workshopId, 2, 7, one.commandId)).done).toEqual(first);
    expect(as('done', await send(log, { workshopId, base: 2 }, one)).commands).toMatchObject([first]);
  }));

it('and is forgotten once both buckets are others', () =>
  inOneBucket(async (workshopId) => {
    const one = command({ remember: true });
    await sent(log, { workshopId }, one);
    for (let times = 0; times < 2; times++) await passes(workshopId);
    await sent(log, { workshopId, base: 1 }, command({ remember: true }));
    expect((await log.commands.check(workshopId, 2, 7, one.commandId)).done).toBeNull();
    expect((await sent(log, { workshopId, base: 2 }, one)).to).toBe(3);
  }));

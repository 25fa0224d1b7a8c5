/** What a process appends itself reaches its own readers without being read, in the order of the feed. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { EventLog, FeedEntry } from '../../src/log/log.ts';
import { redisLog } from '../../src/log/redis/log.ts';
import { type RedisServer, startRedis } from '../kit/redis.ts';
import { until } from '../kit/until.ts';
import { fill } from './drafts.ts';

let redis: RedisServer;
let here: EventLog;
let elsewhere: EventLog;
beforeEach(async () => {
  redis = await startRedis({ appendonly: false });
  const open = () => redisLog({ address: { url: redis.url }, partitions: 2, onError: () => undefined });
  [here, elsewhere] = [await open(), await open()];
});
afterEach(async () => {
  await Promise.all([here.close(), elsewhere.close()]);
  await redis.close();
});

const reads = async (): Promise<number> => {
  const told = await redis.client().info('commandstats');
  return Number(/cmdstat_xread:calls=(\d+)/.exec(told)?.[1] ?? 0);
};

/** What a reader of both partitions is told, as `<workshop>:<version>`. */
async function read(
  log: EventLog,
): Promise<{ told: string[]; entries: FeedEntry[]; close(): Promise<void> }> {
  const told: string[] = [];
  const entries: FeedEntry[] = [];
  const tail = log.feed.tail({
    from: new Map([
      [0, 'end'],
      [1, 'end'],
    ]),
    onBatch(batch) {
      if (batch.gap) told.push('gap');
      for (const entry of batch.entries) {
        told.push(`${entry.workshopId}:${entry.to}`);
        entries.push(entry);
      }
    },
    onError: () => undefined,
  });
  await tail.ready;
  return { told, entries, close: () => tail.close() };
}

it('[L19] is handed out without being read, as the feed has it', async () => {
  const [own, other] = [await read(here), await read(elsewhere)];
  await other.close();
  // The first append of a feed follows on nothing.
  for (const first of [11, 12]) await fill(here, first, 1);
  await until(() => own.told.length === 2, { what: 'the first ones' });
  own.told.splice(0);
  own.entries.splice(0);
  const before = await reads();
  for (let n = 0; n < 50; n++) await fill(here, 1 + (n % 4), 1);
  await until(() => own.told.length >= 50, { what: 'everything' });
  // A ring may come before the answer; then it waits for that.
  expect(await reads()).toBe(before);
  expect(own.told).toEqual(Array.from({ length: 50 }, (_, n) => `${1 + (n % 4)}:${1 + Math.floor(n / 4)}`));
  const kept = await Promise.all([1, 2, 3, 4].map((id) => here.events.read(id, 0, 100)));
  const told = own.entries.flatMap((entry) =>
    entry.events().map((event) => ({ ...event, id: entry.workshopId })),
  );
  for (const [index, events] of kept.entries())
    expect(told.filter(({ id }) => id === index + 1)).toEqual(
      events.map((event) => ({ ...event, id: index + 1 })),
    );
  await own.close();
});

it('[L19] is handed out in the order of the feed, once, beside what others append at the same time', async () => {
  const [one, two] = [await read(here), await read(elsewhere)];
  const turns = Array.from({ length: 40 }, (_, n) => n);
  await Promise.all([
    (async () => {
      for (const n of turns) await fill(here, 1 + (n % 3), 1);
    })(),
    (async () => {
      for (const n of turns) await fill(elsewhere, 5 + (n % 3), 1);
    })(),
  ]);
  await until(() => one.told.length >= 80 && two.told.length >= 80, { what: 'everything at both' });
  const ofPartition = (told: string[], partition: number) =>
    told.filter((each) => Number(each.split(':')[0]) % 2 === partition);
  for (const partition of [0, 1])
    expect(ofPartition(one.told, partition)).toEqual(ofPartition(two.told, partition));
  expect(new Set(one.told).size).toBe(80);
  await Promise.all([one.close(), two.close()]);
});

it('[L19] is read after all where its handing out failed', async () => {
  const told: string[] = [];
  let failures = 0;
  const tail = here.feed.tail({
    from: new Map([[1, 'end']]),
    onBatch({ entries }) {
      if (failures++ === 0) throw new Error('not now');
      for (const { workshopId, to } of entries) told.push(`${workshopId}:${to}`);
    },
    onError: () => undefined,
  });
  await tail.ready;
  for (let n = 0; n < 3; n++) await fill(here, 1, 1);
  await until(() => told.length >= 3, { what: 'all of them' });
  expect(told).toEqual(['1:1', '1:2', '1:3']);
  await tail.close();
});

/** What is the matter of Redis alone: feeds that are trimmed to nothing, and workshops that are put back while they change. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { RecordedEvent } from '../../src/domain/evolve.ts';
import type { EventLog } from '../../src/log/log.ts';
import { redisLog } from '../../src/log/redis/log.ts';
import { redisClient } from '../kit/redis.ts';
import { sharedRedis } from '../kit/shared.ts';
import { until } from '../kit/until.ts';
import { fill } from './drafts.ts';

let url: string;
let log: EventLog;
/** Of another process: what one appends itself one need not read. */
let elsewhere: EventLog;
beforeAll(async () => {
  url = await sharedRedis();
  log = await redisLog({ address: { url }, onError: () => undefined });
  elsewhere = await redisLog({ address: { url }, onError: () => undefined });
});
afterAll(() => Promise.all([log.close(), elsewhere.close()]));

it('[L8] a reader that was behind when all of the feed was trimmed is told, although nothing follows', async () => {
  const partition = log.partitionOf(1);
  let isReading = () => {};
  const busy = new Promise<void>((resolve) => {
    isReading = resolve;
  });
  const gaps: number[] = [];
  let batches = 0;
  const tail = log.feed.tail({
    from: new Map([[partition, 0]]),
    async onBatch({ gap, cursor }) {
      batches++;
      if (gap) gaps.push(cursor);
      else await busy;
    },
    onError: () => undefined,
  });
  await fill(elsewhere, 1, 1);
  await until(() => batches === 1, { what: 'the first batch' });
  await fill(elsewhere, 1, 1);
  const client = redisClient(url);
  const [feed = ''] = await client.keys('ws:*:feed');
  await client.xtrim(feed, 'MAXLEN', 0);
  const [key = ''] = await client.keys('ws:*:partition');
  const end = Number(await client.hget(key, 'seq'));
  client.disconnect();
  isReading();
  await until(() => gaps.length > 0, { what: 'the gap' });
  expect(gaps).toEqual([end]);
  await tail.close();
});

it('[Z2] what is written anew where it is kept, while it is put back, is not put back as it was', async () => {
  await fill(log, 2, 3);
  const events: RecordedEvent[] = await log.events.read(2, 0, 10);
  const head = await log.events.head(2);
  const last = events.at(-1);
  if (head === null || last === undefined) throw new Error('there is no workshop');
  await log.streams.remove(2, { version: 3, epoch: head.epoch, eventId: last.eventId });
  async function* pages(between: () => Promise<void>) {
    yield events;
    await between();
  }
  expect(
    await log.streams.refill(
      2,
      pages(() => log.feed.announce(2)),
    ),
  ).toBe(false);
  expect(await log.events.head(2)).toBeNull();
  expect(
    await log.streams.refill(
      2,
      pages(async () => undefined),
    ),
  ).toBe(true);
  // Nor is an older one, after another was put back, went on, and was removed.
  await fill(log, 2, 1);
  const newer = await log.events.head(2);
  const [added] = await log.events.read(2, 3, 1);
  await log.streams.remove(2, { version: 4, epoch: newer?.epoch ?? '', eventId: added?.eventId ?? '' });
  expect(
    await log.streams.refill(
      2,
      pages(async () => undefined),
    ),
  ).toBe(false);
  expect(await log.events.head(2)).toBeNull();
});

it('[Z3] a stream that was written anew stays for good, although what is written aside goes by itself', async () => {
  await fill(log, 3, 3);
  expect(await log.streams.rewrite(3, ({ version, data }) => (version === 2 ? {} : data))).toBe(1);
  const client = redisClient(url);
  const [stream = ''] = await client.keys('ws:*:3:events');
  expect(await client.pttl(stream)).toBe(-1);
  client.disconnect();
});

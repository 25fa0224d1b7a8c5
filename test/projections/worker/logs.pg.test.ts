import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Projector, projector } from '../../../projections/worker/projector.ts';
import { eventsBehind } from '../../../projections/worker/status.ts';
import type { RecordedEvent } from '../../../src/domain/evolve.ts';
import { type EventLog, readAll, type TailBatch } from '../../../src/log/log.ts';
import { redisClient } from '../../kit/redis.ts';
import { until } from '../../kit/until.ts';
import { expectedTables } from '../expected.ts';
import { append, embedded, fail, folded, type Stores, servers } from '../stores.ts';
import { story } from '../story.ts';
import { tablesOf } from '../tables.ts';

vi.setConfig({ testTimeout: 60_000 });

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

function project({ log, database }: Stores): Projector {
  const started = projector({ log, database, node: 'a', leaseMs: 900 });
  closers.push(() => started.close());
  return started;
}

async function open(stores: Promise<Stores>): Promise<Stores> {
  const opened = await stores;
  closers.push(() => opened.close());
  return opened;
}

/** Whether the partition's feed no longer begins at its beginning. */
async function isTrimmed(log: EventLog, partition: number): Promise<boolean> {
  const batches: TailBatch[] = [];
  const from = new Map([[partition, 0]]);
  const tail = log.feed.tail({ from, onBatch: (batch) => void batches.push(batch), onError: fail });
  const first = await until(() => batches[0], { what: 'a batch' });
  await tail.close();
  return first.gap;
}

/** What the tables should hold, by the log's own versions and times. */
async function expected(log: EventLog, workshopId: number) {
  const events: RecordedEvent[] = [];
  for await (const page of readAll(log.events, workshopId)) events.push(...page);
  return expectedTables(events);
}

describe.each([
  ['Redis and Postgres', () => servers()],
  ['LMDB and PGlite', embedded],
])('with %s', (_, stores) => {
  it('tables follow the log, across restarts of the projector', async () => {
    const opened = await open(stores());
    const { log, database } = opened;
    const ids = [1, 2, 3, 4, 5];
    const stories = new Map(ids.map((id) => [id, story(90 + id, 80)]));
    const first = project(opened);
    await Promise.all(ids.map((id) => append(log, id, stories.get(id)?.slice(0, 30) ?? [])));
    await first.close();
    await Promise.all(ids.map((id) => append(log, id, stories.get(id)?.slice(30, 60) ?? [])));
    project(opened);
    await Promise.all(ids.map((id) => append(log, id, stories.get(id)?.slice(60) ?? [])));
    for (const id of ids) {
      await folded(opened, id);
      expect(await tablesOf(database, id)).toEqual(await expected(log, id));
    }
    expect(await eventsBehind(database, log)).toBe(0);
  });
});

it('a feed of Redis that was trimmed meanwhile is made up for from the streams', async () => {
  const opened = await open(servers(5));
  const { log, database } = opened;
  const first = project(opened);
  const events = story(97, 300);
  await append(log, 1, events.slice(0, 20));
  await folded(opened, 1);
  await first.close();
  // Trimming takes whole nodes of about a hundred entries.
  await append(log, 5, story(98, 300));
  await append(log, 1, events.slice(20));
  expect(await isTrimmed(log, log.partitionOf(1))).toBe(true);
  project(opened);
  for (const id of [1, 5]) {
    await folded(opened, id);
    expect(await tablesOf(database, id)).toEqual(await expected(log, id));
  }
});

it('[L16] a workshop that a node has put back is known by its new epoch, although all of its events are the same', async () => {
  const opened = await open(servers());
  const { log, database, url = '' } = opened;
  const first = project(opened);
  await append(log, 1, story(99, 30).slice(0, 6));
  await folded(opened, 1);
  const kept = await log.events.read(1, 0, 100);
  await first.close();
  const client = redisClient(url);
  await client.flushdb();
  client.disconnect();
  async function* all() {
    yield kept;
  }
  await log.streams.refill(1, all());
  const { epoch } = (await log.events.head(1)) ?? {};
  project(opened);
  const noted = async () => (await database.query('select epoch from workshops where id = 1', []))[0]?.epoch;
  await until(async () => (await noted()) === epoch, {
    what: 'the new epoch in the tables',
    timeout: 20_000,
  });
});

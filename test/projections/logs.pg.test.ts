/** The projector on the real logs: Redis Streams into Postgres, LMDB into PGlite. Needs Redis and Postgres. */
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Database } from '../../projections/database.ts';
import { openDatabase } from '../../projections/open.ts';
import { type Projector, projector } from '../../projections/projector.ts';
import { eventsBehind } from '../../projections/status.ts';
import { foldedVersion } from '../../projections/workshops/queries.ts';
import { eventOf, isEventType } from '../../src/domain/catalog.ts';
import type { RecordedEvent } from '../../src/domain/evolve.ts';
import { embeddedLog } from '../../src/log/embedded/log.ts';
import { type EventLog, readAll, type TailBatch } from '../../src/log/log.ts';
import { redisLog } from '../../src/log/redis/log.ts';
import { dataFolder } from '../kit/dataFolder.ts';
import { sharedPostgres, sharedRedis } from '../kit/shared.ts';
import { until } from '../kit/until.ts';
import { expectedTables } from './expected.ts';
import { story } from './story.ts';
import { tablesOf } from './tables.ts';

vi.setConfig({ testTimeout: 60_000 });

interface Stores {
  log: EventLog;
  database: Database;
  close(): Promise<void>;
}

async function servers(feedLength?: number): Promise<Stores> {
  const [address, url] = [{ url: await sharedRedis() }, await sharedPostgres()];
  const log = await redisLog({
    ...{ address, partitions: 4, onError: fail },
    ...(feedLength !== undefined && { feedLength }),
  });
  const database = await openDatabase({ url }, { onError: fail });
  await database.ready;
  return {
    log,
    database,
    async close() {
      await database.close();
      await log.close();
    },
  };
}

async function embedded(): Promise<Stores> {
  const folder = await dataFolder('embedded');
  const log = await embeddedLog({ path: join(folder.path, 'log') });
  const database = await openDatabase({ folder: join(folder.path, 'database') }, { onError: fail });
  await database.ready;
  return {
    log,
    database,
    async close() {
      await database.close();
      await log.close();
      await folder.close();
    },
  };
}

function fail(error: unknown): void {
  throw new Error('a store failed', { cause: error });
}

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

/** Appends as the engine does, one command at a time. */
async function append(log: EventLog, workshopId: number, appends: RecordedEvent[][]): Promise<void> {
  let base = (await log.head(workshopId))?.version ?? 0;
  for (const events of appends) {
    const [first] = events;
    if (first === undefined) continue;
    const { by, commandId } = first;
    const drafts = events.map(({ eventId, type, schema, data }) => {
      const marks = isEventType(type) ? eventOf(type).marks(data) : [];
      return { eventId, type, schema, data: JSON.stringify(data), marks };
    });
    const command = { by, commandId, fingerprint: '', remember: false, reads: [], events: drafts };
    const deadline = log.now() + 10_000;
    const answer = await log.append({ workshopId, base, deadline, commands: [command], node: 'a' });
    if (answer.kind !== 'appended') throw new Error(`not appended: ${answer.kind}`);
    base = answer.to;
  }
}

/** Whether the partition's feed no longer begins at its beginning. */
async function isTrimmed(log: EventLog, partition: number): Promise<boolean> {
  const batches: TailBatch[] = [];
  const from = new Map([[partition, 0]]);
  const tail = log.tail({ from, onBatch: (batch) => void batches.push(batch), onError: fail });
  const first = await until(() => batches[0], { what: 'a batch' });
  await tail.close();
  return first.gap;
}

/** What the tables should hold, by the log's own versions and times. */
async function expected(log: EventLog, workshopId: number) {
  const events: RecordedEvent[] = [];
  for await (const page of readAll(log, workshopId)) events.push(...page);
  return expectedTables(events);
}

async function folded({ log, database }: Stores, workshopId: number): Promise<void> {
  const version = (await log.head(workshopId))?.version ?? 0;
  await until(async () => (await foldedVersion(database, workshopId)) === version, {
    what: `version ${version} of workshop ${workshopId}`,
    timeout: 20_000,
  });
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

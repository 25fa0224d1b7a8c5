/** The real logs, each with the database that goes with it, and what appends to them and waits for the tables. */
import { join } from 'node:path';
import { afterAll } from 'vitest';
import type { Database } from '../../projections/database/database.ts';
import { openDatabase } from '../../projections/database/open.ts';
import { foldedVersion } from '../../projections/workshops/queries.ts';
import { eventOf, isEventType } from '../../src/domain/catalog.ts';
import type { RecordedEvent } from '../../src/domain/evolve.ts';
import { current } from '../../src/domain/upcast.ts';
import { embeddedLog } from '../../src/log/embedded/log.ts';
import type { EventLog } from '../../src/log/log.ts';
import { redisLog } from '../../src/log/redis/log.ts';
import { dataFolder } from '../kit/dataFolder.ts';
import { type TemporaryFolder, temporaryFolder } from '../kit/folder.ts';
import { migratedPostgres, sharedRedis } from '../kit/shared.ts';
import { until } from '../kit/until.ts';

export interface Stores {
  log: EventLog;
  database: Database;
  /** Of the Redis, where there is one. */
  url?: string;
  close(): Promise<void>;
}

/** Redis and Postgres. */
export async function servers(feedLength?: number): Promise<Stores> {
  const [address, url] = [{ url: await sharedRedis() }, await migratedPostgres()];
  const log = await redisLog({
    ...{ address, partitions: 4, onError: fail },
    ...(feedLength !== undefined && { feedLength }),
  });
  const database = await openDatabase({ url }, { onError: fail });
  await database.ready;
  return {
    log,
    database,
    url: address.url,
    async close() {
      await database.close();
      await log.close();
    },
  };
}

/** LMDB and PGlite. */
export async function embedded(): Promise<Stores> {
  const folder = await dataFolder('embedded');
  const log = await embeddedLog({ path: join(folder.path, 'log') });
  const database = await pglite(folder);
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

/** The same for many tests of one file: each has a log of its own, and all of them one PGlite, emptied, since opening one takes a second. */
export function embeddedInTurn(): () => Promise<Stores> {
  let opened: Promise<{ folder: TemporaryFolder; database: Database }> | undefined;
  afterAll(async () => {
    const { folder, database } = (await opened) ?? {};
    await database?.close();
    await folder?.close();
  });

  async function open() {
    const folder = await dataFolder('embedded');
    return { folder, database: await pglite(folder) };
  }

  return async () => {
    opened ??= open();
    const { database } = await opened;
    await empty(database);
    const folder = temporaryFolder('embedded');
    const log = await embeddedLog({ path: join(folder.path, 'log') });
    return {
      log,
      database,
      async close() {
        await log.close();
        await folder.close();
      },
    };
  };
}

async function pglite(folder: TemporaryFolder): Promise<Database> {
  const database = await openDatabase({ folder: join(folder.path, 'database') }, { onError: fail });
  await database.ready;
  return database;
}

async function empty(database: Database): Promise<void> {
  const tables = await database.query(
    `select string_agg(quote_ident(table_name), ', ') as names from information_schema.tables
     where table_schema = 'public'`,
    [],
  );
  await database.query(`truncate ${tables[0]?.names}`, []);
}

export function fail(error: unknown): void {
  throw new Error('a store failed', { cause: error });
}

/** Appends as the engine does, one command at a time. */
export async function append(log: EventLog, workshopId: number, appends: RecordedEvent[][]): Promise<void> {
  let base = (await log.events.head(workshopId))?.version ?? 0;
  for (const events of appends) {
    const [first] = events;
    if (first === undefined) continue;
    const { by, commandId } = first;
    const drafts = events.map((event) => {
      const { eventId, type, schema, data } = event;
      // What is spoilt on purpose bears none.
      const isReadable = isEventType(type) && data !== null && schema <= eventOf(type).schema;
      const marks = isReadable ? eventOf(type).marks(current(event).data) : [];
      return { eventId, type, schema, data: JSON.stringify(data), marks };
    });
    const command = { by, commandId, fingerprint: '', remember: false, reads: [], events: drafts };
    const deadline = log.now() + 10_000;
    const answer = await log.events.append({ workshopId, base, deadline, commands: [command], node: 'a' });
    if (answer.kind !== 'appended') throw new Error(`not appended: ${answer.kind}`);
    base = answer.to;
  }
}

/** Resolves when the tables hold all that the log has of the workshop. */
export async function folded({ log, database }: Stores, workshopId: number): Promise<void> {
  const version = (await log.events.head(workshopId))?.version ?? 0;
  await until(async () => (await foldedVersion(database, workshopId)) === version, {
    what: `version ${version} of workshop ${workshopId}`,
    timeout: 20_000,
  });
}

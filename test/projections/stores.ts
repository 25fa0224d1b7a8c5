/** The real logs, each with the database that goes with it, and what appends to them and waits for the tables. */
import { join } from 'node:path';
import type { Database } from '../../projections/database.ts';
import { openDatabase } from '../../projections/open.ts';
import { foldedVersion } from '../../projections/workshops/queries.ts';
import { eventOf, isEventType } from '../../src/domain/catalog.ts';
import type { RecordedEvent } from '../../src/domain/evolve.ts';
import { embeddedLog } from '../../src/log/embedded/log.ts';
import type { EventLog } from '../../src/log/log.ts';
import { redisLog } from '../../src/log/redis/log.ts';
import { dataFolder } from '../kit/dataFolder.ts';
import { sharedPostgres, sharedRedis } from '../kit/shared.ts';
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

export function fail(error: unknown): void {
  throw new Error('a store failed', { cause: error });
}

/** Appends as the engine does, one command at a time. */
export async function append(log: EventLog, workshopId: number, appends: RecordedEvent[][]): Promise<void> {
  let base = (await log.head(workshopId))?.version ?? 0;
  for (const events of appends) {
    const [first] = events;
    if (first === undefined) continue;
    const { by, commandId } = first;
    const drafts = events.map(({ eventId, type, schema, data }) => {
      // What is spoilt on purpose bears none.
      const marks = isEventType(type) && data !== null ? eventOf(type).marks(data) : [];
      return { eventId, type, schema, data: JSON.stringify(data), marks };
    });
    const command = { by, commandId, fingerprint: '', remember: false, reads: [], events: drafts };
    const deadline = log.now() + 10_000;
    const answer = await log.append({ workshopId, base, deadline, commands: [command], node: 'a' });
    if (answer.kind !== 'appended') throw new Error(`not appended: ${answer.kind}`);
    base = answer.to;
  }
}

/** Resolves when the tables hold all that the log has of the workshop. */
export async function folded({ log, database }: Stores, workshopId: number): Promise<void> {
  const version = (await log.head(workshopId))?.version ?? 0;
  await until(async () => (await foldedVersion(database, workshopId)) === version, {
    what: `version ${version} of workshop ${workshopId}`,
    timeout: 20_000,
  });
}

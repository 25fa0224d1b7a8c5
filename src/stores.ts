/** Opens what the configuration names: the log and the database, each on a server or in the data folder. */
import { join, resolve } from 'node:path';
import type { Logger } from 'pino';
import type { Database } from '../projections/database.ts';
import { keptEvents } from '../projections/events/queries.ts';
import { MigrationsDue } from '../projections/migrate.ts';
import { openDatabase } from '../projections/open.ts';
import { highestWorkshopId } from '../projections/workshops/queries.ts';
import type { Config } from './config.ts';
import { type DataFolder, dataFolder } from './dataFolder.ts';
import { type History, type KeptEvents, workshopHistory } from './history/history.ts';
import { embeddedLog } from './log/embedded/log.ts';
import { inTime } from './log/inTime.ts';
import type { EventLog } from './log/log.ts';
import { type RedisAddress, requireDurable } from './log/redis/connect.ts';
import { redisLog } from './log/redis/log.ts';
import { CodedError } from './protocol/errors.ts';

export interface Stores {
  log: EventLog;
  database: Database;
  /** Where events are kept beside the log; undefined where the database is itself made from the log, which has them all. */
  kept: KeptEvents | undefined;
  history: History;
  /** The folder, where anything of this process lies in one. */
  folder: DataFolder | undefined;
  /** Signs and checks tokens; undefined where keys come from elsewhere. */
  secret: string | undefined;
  close(): Promise<void>;
}

export function redisAddress(config: Config): RedisAddress | undefined {
  if (config.REDIS_URL !== undefined) return { url: config.REDIS_URL };
  if (config.REDIS_CLUSTER_NODES !== undefined) return { clusterNodes: config.REDIS_CLUSTER_NODES };
  return undefined;
}

export async function openStores(config: Config, logger: Logger): Promise<Stores> {
  const address = redisAddress(config);
  const exclusive = address === undefined || config.DATABASE_URL === undefined;
  const ownSecret = config.AUTH_SECRET === undefined && config.AUTH_JWKS_URL === undefined;
  const folder = exclusive || ownSecret ? await dataFolder(config.DATA_DIR, exclusive) : undefined;
  try {
    const secret = config.AUTH_SECRET ?? (ownSecret ? await folder?.secret() : undefined);
    const database = openDatabaseOf(config, folder, logger);
    const highestId = () =>
      inTime(
        database.ready.then(() => highestWorkshopId(database)),
        databasePatienceMs,
        'the database, which knows what ids were given out,',
      );
    const log = await openLog(config, { folder, logger, highestId }).catch(async (error: unknown) => {
      await database.close();
      throw error;
    });
    const kept = log.kind === 'embedded' && database.kind === 'pglite' ? undefined : keptEvents(database);
    return {
      log,
      database,
      kept,
      history: workshopHistory(log, kept),
      folder,
      secret,
      async close() {
        await database.close();
        await log.close();
        await folder?.close();
      },
    };
  } catch (error) {
    await folder?.close();
    throw error;
  }
}

/** Scheduling waits this long for a database that is away or being made, where the log may have lost ids. */
const databasePatienceMs = 5_000;

export interface LogParts {
  folder?: DataFolder | undefined;
  logger: Logger;
  /** See `RedisLogOptions`. */
  highestId?(): Promise<number>;
}

export async function openLog(config: Config, { folder, logger, highestId }: LogParts): Promise<EventLog> {
  const address = redisAddress(config);
  if (address === undefined) {
    if (folder === undefined) throw new Error('an embedded log needs a data folder');
    return embeddedLog({ path: folder.file('log') });
  }
  if (config.production) await requireDurable(address, config.ALLOW_VOLATILE_LOG);
  let told = 0;
  return redisLog({
    address,
    ...(highestId !== undefined && { highestId }),
    onError(error) {
      // While Redis is away ioredis reports every attempt; one line a second is enough.
      if (performance.now() - told < 1_000) return;
      told = performance.now();
      logger.warn({ err: error }, 'the connection to Redis broke; it is tried again');
    },
  });
}

/** The log for a command that only looks: in embedded mode beside the serving process. */
export async function openLogForReading(config: Config, logger: Logger): Promise<EventLog> {
  if (redisAddress(config) !== undefined) return openLog(config, { logger });
  return embeddedLog({ path: join(resolve(config.DATA_DIR), 'log'), readOnly: true });
}

function openDatabaseOf(config: Config, folder: DataFolder | undefined, logger: Logger): Database {
  const onError = (error: unknown) => {
    // Nothing but an operator ends this, and the line has to say how.
    if (error instanceof MigrationsDue) logger.error(error.message);
    else logger.warn({ err: error }, 'the database reported an error');
  };
  if (config.DATABASE_URL !== undefined)
    return openDatabase({ url: config.DATABASE_URL, migrateUrl: config.MIGRATE_DATABASE_URL }, { onError });
  if (folder === undefined) throw new CodedError('internal', 'PGlite needs a data folder');
  return openDatabase({ folder: folder.file('database') }, { onError });
}

/** Opens what the configuration names: the log and the database, each on a server or in the data folder. */
import { join, resolve } from 'node:path';
import type { Logger } from 'pino';
import type { Database } from '../projections/database/database.ts';
import { DatabaseUnfit } from '../projections/database/fitness.ts';
import { openDatabase } from '../projections/database/open.ts';
import { type StoredEvents, storedEvents } from '../projections/events/queries.ts';
import { type Adoption, adopt } from '../projections/logIdentity/adopt.ts';
import { ownDatabase } from '../projections/logIdentity/ownDatabase.ts';
import { bringBack } from '../projections/notes/notes.ts';
import { highestWorkshopId } from '../projections/workshops/queries.ts';
import type { Config } from './config.ts';
import { type DataFolder, dataFolder } from './dataFolder.ts';
import { type History, workshopHistory } from './history/history.ts';
import { embeddedLog } from './log/embedded/log.ts';
import type { EventLog, Notes } from './log/log.ts';
import type { RedisAddress } from './log/redis/address.ts';
import { requireDurable } from './log/redis/connect.ts';
import { redisLog } from './log/redis/log.ts';
import { CodedError } from './protocol/errors.ts';
import { inTime } from './timing/inTime.ts';
import { promised } from './timing/promised.ts';

export interface Stores {
  log: EventLog;
  database: Database;
  /** Where events are kept beside the log; undefined where the database is itself made from the log, which has them all. */
  stored: StoredEvents | undefined;
  history: History;
  /** The folder, where anything of this process lies in one. */
  folder: DataFolder | undefined;
  /** Signs and checks tokens; undefined where keys come from elsewhere. */
  secret: string | undefined;
  /** Under which secrets of webhooks are kept in the database; undefined where its processes have none in common. */
  webhookSecret: string | undefined;
  /** Rejects, in one line, where the database is known to be another log's. Resolves where it is this one's, or away. */
  recognized(): Promise<void>;
  /** Makes the database this log's. */
  adopt(): Promise<Adoption>;
  close(): Promise<void>;
}

export function redisAddress(config: Config): RedisAddress | undefined {
  if (config.REDIS_URL !== undefined) return { url: config.REDIS_URL };
  const signIn = {
    username: config.REDIS_USERNAME,
    password: config.REDIS_PASSWORD,
    tls: config.REDIS_TLS,
  };
  if (config.REDIS_CLUSTER_NODES !== undefined)
    return { clusterNodes: config.REDIS_CLUSTER_NODES, ...signIn };
  if (config.REDIS_SENTINELS === undefined) return undefined;
  return {
    sentinels: config.REDIS_SENTINELS,
    // Checked with the configuration.
    master: config.REDIS_SENTINEL_MASTER ?? '',
    sentinelPassword: config.REDIS_SENTINEL_PASSWORD,
    ...signIn,
  };
}

export async function openStores(config: Config, logger: Logger): Promise<Stores> {
  const address = redisAddress(config);
  const exclusive = address === undefined || config.DATABASE_URL === undefined;
  const ownSecret = config.AUTH_SECRET === undefined && config.AUTH_JWKS_URL === undefined && !config.signsIn;
  const folder = exclusive || ownSecret ? await dataFolder(config.DATA_DIR, exclusive) : undefined;
  try {
    const secret = config.AUTH_SECRET ?? (ownSecret ? await folder?.secret() : undefined);
    // A database in the folder is this process' alone, whoever signs the tokens.
    const ofFolder = config.DATABASE_URL === undefined ? await folder?.secret() : undefined;
    const webhookSecret = config.WEBHOOK_SECRET ?? secret ?? ofFolder;
    const notes = promised<Notes>();
    const opened = openDatabaseOf(config, folder, logger, notes.promise);
    let database: Database = opened;
    const highestId = () =>
      inTime(
        database.ready.then(() => highestWorkshopId(database)),
        databasePatienceMs,
        'the database, which knows what ids were given out,',
      );
    const log = await openLog(config, { folder, logger, highestId }).catch(async (error: unknown) => {
      notes.reject(error);
      await opened.close();
      throw error;
    });
    notes.resolve(log.notes);
    // In one folder they belong together, and the database is made from the log whenever it has to be.
    const isOneFolder = log.kind === 'embedded' && opened.kind === 'pglite';
    const own = isOneFolder ? undefined : ownDatabase({ log, database: opened, onError: onErrorOf(logger) });
    database = own ?? opened;
    const stored = isOneFolder ? undefined : storedEvents({ query: database.read });
    return {
      log,
      database,
      stored,
      history: workshopHistory(log.events, stored),
      folder,
      ...{ secret, webhookSecret },
      recognized: async () =>
        own && inTime(own.recognized, recognitionPatienceMs, 'the database').catch(known),
      async adopt() {
        if (isOneFolder)
          throw new CodedError('invalid_state', 'an embedded database is made from its own log');
        await opened.ready;
        return adopt({ log, database: opened });
      },
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

/** A database that does not answer holds up no start for longer. */
const recognitionPatienceMs = 10_000;

function known(error: unknown): void {
  if (error instanceof DatabaseUnfit) throw error;
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

const onErrorOf = (logger: Logger) => (error: unknown) => {
  // Nothing but an operator ends this, and the line has to say how.
  if (error instanceof DatabaseUnfit) logger.error(error.message);
  else logger.warn({ err: error }, 'the database reported an error');
};

/** The log is opened after it; what is noted there comes back into a database that had to be made again. */
function openDatabaseOf(
  config: Config,
  folder: DataFolder | undefined,
  logger: Logger,
  notes: Promise<Notes>,
): Database {
  const onError = onErrorOf(logger);
  if (config.DATABASE_URL !== undefined)
    return openDatabase({ url: config.DATABASE_URL, migrateUrl: config.MIGRATE_DATABASE_URL }, { onError });
  if (folder === undefined) throw new CodedError('internal', 'PGlite needs a data folder');
  const onOpened = async (query: Database['query']) => bringBack(query, await notes);
  return openDatabase({ folder: folder.file('database') }, { onError, onOpened });
}

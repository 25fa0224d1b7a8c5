/**
 * How the command line reaches the projections:
 *
 *   Postgres                 ──► the database itself; the projectors that run take up what is asked for
 *   a folder, server runs    ──► through the server, which alone may open the folder's database
 *   a folder, no server      ──► the folder is locked and opened, with a projector of our own while the command lasts
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pino } from 'pino';
import { archivesOf } from '../../projections/archive/archives.ts';
import { openDatabase } from '../../projections/database/open.ts';
import { erasureProgress, requestErasure } from '../../projections/erasing/request.ts';
import { storedEvents } from '../../projections/events/queries.ts';
import { adopt } from '../../projections/logIdentity/adopt.ts';
import { requireOwn } from '../../projections/logIdentity/recognize.ts';
import { retryParked } from '../../projections/parked/parked.ts';
import { skipParked } from '../../projections/parked/skip.ts';
import { requestRebuild } from '../../projections/rebuild/request.ts';
import { verify } from '../../projections/verify/verify.ts';
import { projector } from '../../projections/worker/projector.ts';
import { projectionStatus } from '../../projections/worker/status.ts';
import type { Config } from '../config.ts';
import { FolderInUse, serverOf } from '../dataFolder.ts';
import { checkReplay } from '../history/checkReplay.ts';
import { workshopHistory } from '../history/history.ts';
import { causeOf } from '../protocol/errors.ts';
import { openLogForReading, openStores, type Stores } from '../stores.ts';
import { CommandFailed } from './command.ts';
import { type Operations, watchErasure, watchRebuild } from './operations.ts';
import { throughServer } from './throughServer.ts';

export interface Need {
  /** More than the status will be asked for, so that a projector has to run. */
  wishes: boolean;
  /** The database may be another log's. */
  adopts?: true;
}

/** Fails where the database is another log's, unless it is to be adopted. */
export async function openOperations(config: Config, need: Need): Promise<Operations> {
  if (config.DATABASE_URL !== undefined) return onPostgres(config, config.DATABASE_URL, need);
  const running = await serverOf(config.DATA_DIR);
  return running === undefined ? inFolder(config, need) : throughServer(running);
}

async function onPostgres(config: Config, url: string, { adopts }: Need): Promise<Operations> {
  const log = await openLogForReading(config, pino({ level: 'silent' }));
  let refuse: (error: unknown) => void = () => undefined;
  const failed = new Promise<never>((_, reject) => {
    refuse = reject;
  });
  const database = openDatabase({ url, migrating: 'never' }, { onError: (error) => refuse(error) });
  const close = async () => {
    await database.close();
    await log.close();
  };
  try {
    await Promise.race([database.ready, failed]);
  } catch (error) {
    await close();
    throw new CommandFailed(`the database: ${causeOf(error)}`);
  }
  // From here on whoever asks gets the failure.
  refuse = () => undefined;
  if (adopts !== true)
    await requireOwn({ log, database }).catch(async (error: unknown) => {
      await close();
      throw error;
    });
  const history = workshopHistory(log.events, storedEvents({ query: database.read }));
  return { ...directly({ log, database, history }), adopt: () => adopt({ log, database }), close };
}

async function inFolder(config: Config, { wishes, adopts }: Need): Promise<Operations> {
  const folder = resolve(config.DATA_DIR);
  if (!['log', 'database'].some((name) => existsSync(join(folder, name))))
    throw new CommandFailed(`there are no workshops in ${folder}: is DATA_DIR right?`);
  const logger = pino({ level: 'silent' });
  const stores = await openStores(config, logger).catch((error: unknown) => {
    if (!(error instanceof FolderInUse)) throw error;
    throw new CommandFailed(`${folder} is being opened or closed by another process: try again`);
  });
  if (adopts !== true) {
    await stores.recognized().catch(async (error: unknown) => {
      await stores.close();
      throw error;
    });
    await stores.database.ready;
  }
  const own = wishes ? projector({ ...stores, histories: stores.history, node: 'command-line' }) : undefined;
  return {
    ...directly(stores),
    adopt: stores.adopt,
    async close() {
      await own?.close();
      await stores.close();
    },
  };
}

function directly({
  log,
  database,
  history,
}: Pick<Stores, 'log' | 'database' | 'history'>): Omit<Operations, 'adopt' | 'close'> {
  const status = () => projectionStatus(database, log);
  return {
    status,
    retry: async (workshopId) => ({ parked: !(await retryParked(database, workshopId)) }),
    async skip(wish) {
      const outcome = await skipParked(database, log, wish);
      if (outcome.kind === 'skipped') return outcome;
      if (outcome.kind === 'first')
        throw new CommandFailed('the first event makes the workshop: it cannot be given up');
      throw new CommandFailed(
        `workshop ${wish.workshopId} is not parked at version ${wish.version} any more`,
      );
    },
    async rebuild(onProgress) {
      const partitions = await requestRebuild(database);
      if (partitions === 0)
        throw new CommandFailed('no projector has run yet: there is nothing to fold anew');
      await watchRebuild(status, onProgress);
      return { partitions };
    },
    checkReplay: () => checkReplay({ archives: archivesOf(database), history }),
    erase: (wish, onProgress) =>
      watchErasure({
        progress: () => erasureProgress(database, wish.userId),
        request: () => requestErasure(database, log, wish),
        onProgress,
      }),
    verify: (workshopId) => verify({ log, database, ...(workshopId !== undefined && { workshopId }) }),
  };
}

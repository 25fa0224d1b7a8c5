/**
 * How the command line reaches the projections:
 *
 *   Postgres                 ──► the database itself; the projectors that run take up what is asked for
 *   a folder, server runs    ──► through the server, which alone may open the folder's database
 *   a folder, no server      ──► the folder is locked and opened, with a projector of our own while the command lasts
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { z } from 'zod';
import { openDatabase } from '../../projections/open.ts';
import { retryParked } from '../../projections/parked.ts';
import { projector } from '../../projections/projector.ts';
import { requestRebuild } from '../../projections/rebuild.ts';
import { skipParked } from '../../projections/skipped.ts';
import { type ProjectionStatus, projectionStatus } from '../../projections/status.ts';
import type { Config } from '../config.ts';
import { FolderInUse, type RunningServer, serverOf } from '../dataFolder.ts';
import { operatorKeyHeader } from '../identity/operatorKey.ts';
import { openLogForReading, openStores, type Stores } from '../stores.ts';
import { CommandFailed } from './command.ts';

export interface Operations {
  status(): Promise<ProjectionStatus>;
  /** `parked`: it is parked again. */
  retry(workshopId: number): Promise<{ parked: boolean }>;
  skip(wish: { workshopId: number; version: number; by: string }): Promise<{ parked: boolean }>;
  /** Resolves when every workshop was folded anew; tells the share that is done meanwhile. */
  rebuild(onProgress: (share: number) => void): Promise<{ partitions: number }>;
  close(): Promise<void>;
}

/** `wishes`: more than the status will be asked for. */
export async function openOperations(config: Config, { wishes }: { wishes: boolean }): Promise<Operations> {
  if (config.DATABASE_URL !== undefined) return onPostgres(config, config.DATABASE_URL);
  const running = await serverOf(config.DATA_DIR);
  return running === undefined ? inFolder(config, wishes) : throughServer(running);
}

async function onPostgres(config: Config, url: string): Promise<Operations> {
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
    throw new CommandFailed(`the database: ${error instanceof Error ? error.message : String(error)}`);
  }
  // From here on whoever asks gets the failure.
  refuse = () => undefined;
  return { ...directly({ log, database }), close };
}

async function inFolder(config: Config, wishes: boolean): Promise<Operations> {
  const folder = resolve(config.DATA_DIR);
  if (!['log', 'database'].some((name) => existsSync(join(folder, name))))
    throw new CommandFailed(`there are no workshops in ${folder}: is DATA_DIR right?`);
  const logger = pino({ level: 'silent' });
  const stores = await openStores(config, logger).catch((error: unknown) => {
    if (!(error instanceof FolderInUse)) throw error;
    throw new CommandFailed(`${folder} is being opened or closed by another process: try again`);
  });
  await stores.database.ready;
  const own = wishes ? projector({ ...stores, histories: stores.history, node: 'command-line' }) : undefined;
  return {
    ...directly(stores),
    async close() {
      await own?.close();
      await stores.close();
    },
  };
}

function directly({ log, database }: Pick<Stores, 'log' | 'database'>): Omit<Operations, 'close'> {
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
      await rebuilt(status, onProgress);
      return { partitions };
    },
  };
}

const refusal = z.object({ error: z.object({ message: z.string() }) });

function throughServer({ url, key }: RunningServer): Operations {
  async function ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await fetch(new URL(`/api/admin/${path}`, url), {
      method,
      headers: { [operatorKeyHeader]: key, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    }).catch((error: unknown) => {
      throw new CommandFailed(`the server at ${url} cannot be reached: ${causeOf(error)}`);
    });
    if (answer.ok) return (await answer.json()) as T; // what this very program's routes answer
    const told = refusal.safeParse(await answer.json().catch(() => undefined));
    throw new CommandFailed(told.data?.error.message ?? `the server at ${url} answered ${answer.status}`);
  }

  async function status(): Promise<ProjectionStatus> {
    const { projections } = await ask<{ projections: ProjectionStatus | null }>('GET', 'status');
    if (projections === null) throw new CommandFailed('the database of the server is away');
    return projections;
  }

  return {
    status,
    retry: (workshopId) => ask('POST', `parked/${workshopId}/retry`),
    skip: ({ workshopId, version }) => ask('POST', `parked/${workshopId}/skip`, { version }),
    async rebuild(onProgress) {
      const answer = await ask<{ partitions: number }>('POST', 'projections/rebuild');
      await rebuilt(status, onProgress);
      return answer;
    },
    close: async () => undefined,
  };
}

function causeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? cause.message : String(cause);
}

/** The status asks the log for every open workshop. */
const lookMs = 1_000;
/** A partition that nobody takes up for so long has no projector. */
const patienceMs = 30_000;

async function rebuilt(
  status: () => Promise<ProjectionStatus>,
  onProgress: (share: number) => void,
): Promise<void> {
  let seen = '';
  let since = performance.now();
  for (;;) {
    const { partitions } = await status();
    const shares = partitions.map(({ rebuildRequested, rebuilt }) => {
      if (!rebuildRequested) return 1;
      return rebuilt === null || rebuilt.total === 0 ? 0 : rebuilt.done / rebuilt.total;
    });
    onProgress(shares.reduce((sum, share) => sum + share, 0) / Math.max(1, shares.length));
    if (partitions.every(({ rebuildRequested }) => !rebuildRequested)) return;
    const now = JSON.stringify(shares);
    if (now !== seen) since = performance.now();
    else if (performance.now() - since > patienceMs)
      throw new CommandFailed(
        'no projector goes on with it: is one running? What is left is folded once one does',
      );
    seen = now;
    await sleep(lookMs);
  }
}

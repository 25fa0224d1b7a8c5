/**
 * Workshops that are under way and have no stream in the log any more: Redis was emptied, or an old one answers. They are put
 * back from `workshop_events` even if nobody asks for them, since their timers went with the log.
 */
import { EventMissing, readAll } from '../../src/log/log.ts';
import { retrying } from '../../src/timing/retry.ts';
import type { Database } from '../database/database.ts';
import { inPartition } from '../database/partition.ts';
import { storedEvents } from '../events/queries.ts';
import type { ProjectedLog } from '../fold/source.ts';

/** Workshops of a partition that are not over, that the tables hold, and that the log has no stream of. */
async function missingIn(database: Database, log: ProjectedLog, partition: number): Promise<number[]> {
  // First what the log has: a workshop that comes in between is in the tables later still.
  const open = await log.streams.ids(partition);
  const rows = await database.query(
    `select id from workshops
     where ${inPartition('id', log, partition)} and status in ('scheduled', 'lobby', 'live') and version > 0`,
    [],
  );
  const here = new Set(open);
  return rows.map((row) => Number(row.id)).filter((id) => !here.has(id));
}

export interface PuttingBack {
  database: Database;
  log: ProjectedLog;
  partition: number;
  signal: AbortSignal;
  onError(error: unknown): void;
}

/**
 * Answers with the workshops that were put back. One that can't be is reported, and does not keep the others from it; a Redis
 * that is away is tried again.
 */
export async function putBackMissing({
  database,
  log,
  partition,
  ...trying
}: PuttingBack): Promise<number[]> {
  const putBack: number[] = [];
  const stored = storedEvents(database);
  const isFinal = (error: unknown) => error instanceof EventMissing;
  for (const id of await retrying(() => missingIn(database, log, partition), trying)) {
    try {
      if (await retrying(() => log.streams.refill(id, readAll(stored, id)), { ...trying, isFinal }))
        putBack.push(id);
    } catch (error) {
      if (!isFinal(error)) throw error;
      trying.onError(error);
    }
  }
  return putBack;
}

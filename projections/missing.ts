/**
 * Workshops that are under way and have no stream in the log any more: Redis was emptied, or an old one answers. They are put
 * back from `workshop_events` even if nobody asks for them, since their timers went with the log.
 */
import { EventMissing, readAll } from '../src/log/log.ts';
import { arrayText } from './arrayText.ts';
import type { Database } from './database.ts';
import type { ProjectedLog } from './feed.ts';
import { keptEvents } from './kept.ts';
import { retrying } from './retry.ts';

/** Workshops of a partition that are not over, that the tables hold, and that the log has no stream of. */
async function missingIn(database: Database, log: ProjectedLog, partition: number): Promise<number[]> {
  // First what the log has: a workshop that comes in between is in the tables later still.
  const open = await log.open(partition);
  const rows = await database.query(
    `select id from workshops
     where status in ('scheduled', 'lobby', 'live') and version > 0 and id <> all($1::text::bigint[])`,
    [arrayText([...open.keys()])],
  );
  return rows.map((row) => Number(row.id)).filter((id) => log.partitionOf(id) === partition);
}

export interface PuttingBack {
  database: Database;
  log: ProjectedLog;
  partition: number;
  signal: AbortSignal;
  onError(error: unknown): void;
}

/**
 * Answers with the workshops that were put back. One that can't be is told of, and does not keep the others from it; a Redis
 * that is away is tried again.
 */
export async function putBackMissing({
  database,
  log,
  partition,
  ...trying
}: PuttingBack): Promise<number[]> {
  const putBack: number[] = [];
  const kept = {
    read: (id: number, after: number, limit: number) => keptEvents(database, id, after, limit),
  };
  const isFinal = (error: unknown) => error instanceof EventMissing;
  for (const id of await retrying(() => missingIn(database, log, partition), trying)) {
    try {
      if (await retrying(() => log.refill(id, readAll(kept, id)), { ...trying, isFinal })) putBack.push(id);
    } catch (error) {
      if (!isFinal(error)) throw error;
      trying.onError(error);
    }
  }
  return putBack;
}

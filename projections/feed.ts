/** What projections use of the log, and small things about its feed. */
import type { EventLog, FeedEntry } from '../src/log/log.ts';

export type ProjectedLog = Pick<
  EventLog,
  | 'partitions'
  | 'partitionOf'
  | 'now'
  | 'read'
  | 'head'
  | 'open'
  | 'refill'
  | 'remove'
  | 'rewrite'
  | 'announce'
  | 'tail'
>;

/** Whether the log lets go of the streams of archived workshops, or keeps them. */
export type Archives = 'removed' | 'kept';

/** Entries in runs of `most` events or a little more. */
export function chunksOf(entries: readonly FeedEntry[], most: number): FeedEntry[][] {
  const chunks: FeedEntry[][] = [];
  let chunk: FeedEntry[] = [];
  let events = 0;
  for (const entry of entries) {
    chunk.push(entry);
    events += entry.to - entry.from + 1;
    if (events < most) continue;
    chunks.push(chunk);
    chunk = [];
    events = 0;
  }
  if (chunk.length > 0) chunks.push(chunk);
  return chunks;
}

/** When an entry was appended, milliseconds since 1970; undefined where it can't be decoded. */
export function timeOf(entry: FeedEntry | undefined): number | undefined {
  try {
    return entry?.events()[0]?.at;
  } catch {
    // Whoever folds it finds out, and says so.
    return undefined;
  }
}

/** The feeds: every append of a partition, in the order of appending, for whoever follows the log. */
import type { RecordedEvent } from '../domain/evolve.ts';

export interface Feed {
  /** Follows partitions from where the reader is, for good. */
  tail(options: TailOptions): Tail;
  /** Tells every reader of the feed that a workshop without a stream was rewritten where it is kept. */
  announce(workshopId: number): Promise<void>;
}

/**
 * One append, as the feed holds it. One without events, whose `to` is below its `from`, tells that what lies before was
 * rewritten, under another epoch (none where it has no stream): whoever holds something of the workshop reads it again.
 */
export interface FeedEntry {
  workshopId: number;
  from: number;
  to: number;
  epoch: string;
  /** Decodes the events; a reader that does not care for the workshop need not call it. */
  events(): RecordedEvent[];
}

export interface TailBatch {
  partition: number;
  entries: FeedEntry[];
  /** Where to go on after this batch. */
  cursor: number;
  /**
   * True where the feed no longer holds what follows the last cursor. The batch then has no entries, and the reader
   * compares every open workshop of the partition with what it has before it takes up the cursor.
   */
  gap: boolean;
}

export interface TailOptions {
  /** Cursor of each partition to follow; `'end'` starts with what is appended from now on. */
  from: ReadonlyMap<number, number | 'end'>;
  /** Called for one batch of a partition at a time; the next one comes when it has resolved. */
  onBatch(batch: TailBatch): void | Promise<void>;
  /** Reading failed; it is tried again by itself. */
  onError(error: unknown): void;
  /** Entries to a batch at most. */
  limit?: number;
  /** A reader in no hurry is told of what is new this much later, in milliseconds, and of more at once. */
  lingerMs?: number;
}

export interface Tail {
  /** Resolves once every `'end'` was resolved to a cursor: what is appended afterwards is delivered. */
  ready: Promise<void>;
  /** Ends the tail; resolves when no batch is under way any more. */
  close(): Promise<void>;
}

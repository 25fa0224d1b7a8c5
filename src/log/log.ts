/**
 * The event log: the one place where workshops are kept. Two implementations hold the same promises – Redis Streams
 * (`redis/`) and LMDB (`embedded/`) – and `test/log/contract.ts` runs against both.
 *
 * 1. A workshop's events have the versions 1, 2, 3, … without a gap; their times never fall.
 * 2. An append does everything or nothing. Its checks come before its first write.
 * 3. A command id that a user sent to a workshop is in one append at most, for `commandMemoryMs` at least.
 * 4. Every appended batch is in the feed of the workshop's partition, in the order of appending; the order of one
 *    workshop's events in the feed is that of their versions.
 * 5. A tail hands out every batch after its cursor, in order, none twice. Where the feed no longer holds what follows the
 *    cursor it says so (`gap`), and the reader compares versions workshop by workshop (`open`, `read`).
 * 6. What was acknowledged is as durable as the store is set up to be: see each implementation.
 * 7. Within one epoch of a workshop a version stands for the same event for good. Where events may have been lost – another
 *    run of the store, a lost tail – a new epoch begins before anything is appended, and where the old one ended is kept.
 * 8. A workshop whose stream was removed has no events and no head, and nothing is appended to it, from version 1 on least of
 *    all, before it was put back as a whole (`refill`).
 */

import type { RecordedEvent } from '../domain/evolve.ts';
import type { Done, Head, WorkshopEvents } from './events.ts';
import type { Feed } from './feed.ts';
import type { LogIdentity } from './identity.ts';
import type { Notes } from './notes.ts';
import type { Presence } from './presence.ts';
import type { Snapshots } from './snapshots.ts';
import type { Streams } from './streams.ts';

export * from './events.ts';
export * from './feed.ts';
export * from './identity.ts';
export * from './notes.ts';
export * from './presence.ts';
export * from './snapshots.ts';
export * from './streams.ts';

export interface EventLog extends Partitions {
  readonly kind: 'redis' | 'embedded';
  readonly events: WorkshopEvents;
  readonly commands: CommandMemory;
  readonly feed: Feed;
  readonly streams: Streams;
  readonly snapshots: Snapshots;
  readonly presence: Presence;
  readonly timers: Timers;
  readonly ids: WorkshopIds;
  readonly identity: LogIdentity;
  readonly notes: Notes;
  /** The log's clock, milliseconds since 1970, as this node knows it. */
  now(): number;
  /** Rejects where the log can't be written to right now. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

export interface Partitions {
  /** Number of partitions; a workshop's is `partitionOf(workshopId)`. */
  readonly partitions: number;
  partitionOf(workshopId: number): number;
}

/** How long, at least, a command id is remembered: two buckets of this length are kept. */
export const commandMemoryMs = 10 * 60_000;

/** What was done under which command id. Remembering is the append's part. */
export interface CommandMemory {
  /** Everything that a refusal needs to know, in one round trip. */
  check(workshopId: number, after: number, by: number | 'system', commandId: string | null): Promise<Check>;
}

/** The log's answer to "am I up to date, and was this done already?". */
export interface Check extends Head {
  done: Done | null;
  /** What follows on the given version, at most `missingLimit` events. */
  missing: RecordedEvent[];
}

/** One time for each workshop at which it wants to be looked at. */
export interface Timers {
  /**
   * Workshops whose time has come, at most `limit`, the longest due of a partition first. They are put off by `forMs`: no other node
   * is given them before that, unless an append wakes them, and they are due again if this one dies before it has set them.
   */
  claim(limit: number, forMs: number): Promise<number[]>;
  /** Sets the time, or drops it with null; unless an event after `version` woke the workshop meanwhile. */
  set(workshopId: number, at: number | null, version: number): Promise<void>;
}

/** The ids of workshops. */
export interface WorkshopIds {
  /**
   * A fresh workshop id. With a key, the same user's call with the same key gives the same id for a day;
   * `fingerprint` is that of the first call. After a restart or a failover of the log ids may have been lost that were given
   * out: it first asks for the highest that is known elsewhere, and rejects while that is not to be had.
   */
  allocate(request?: {
    userId: number;
    key: string;
    fingerprint: string;
  }): Promise<{ workshopId: number; fingerprint: string }>;
  /** Makes sure that `allocate` gives ids above this one, the highest that is known elsewhere. */
  raise(above: number): Promise<void>;
}

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
import type { Mark } from '../domain/define.ts';
import type { RecordedEvent } from '../domain/evolve.ts';

/** How long, at least, a command id is remembered: two buckets of this length are kept. */
export const commandMemoryMs = 10 * 60_000;
/** How many events one append may hold. */
export const maxEventsPerAppend = 600;
/** How many missing events a conflict or a check brings along at most. */
export const missingLimit = 200;

/** An event to be appended. `data` is JSON text: it is made once and parsed by readers alone. */
export interface Draft {
  eventId: string;
  type: string;
  schema: number;
  data: string;
  /** What it changes, for the decisions of others. */
  marks: readonly Mark[];
}

/** One command's share of an append. */
export interface DraftCommand {
  by: number | 'system';
  commandId: string;
  /** Same for the same command and payload: tells a repeat from another command under the same id. */
  fingerprint: string;
  /** Whether the id is to be remembered: the client chose it and may send it again. */
  remember: boolean;
  /** The append conflicts where an event after `base` bears one of these; `*` conflicts with any event. */
  reads: readonly (Mark | '*')[];
  events: readonly Draft[];
  /**
   * Appends nothing if this user's presence is still held: by a connection on any living node, or by another node that awaits
   * one.
   */
  unlessHeld?: number;
  /** The user says so: with `unlessHeld`, only connections to other nodes count, and the own one ends. */
  leaves?: boolean;
}

export interface Append {
  workshopId: number;
  /** The version that the decisions were made on. */
  base: number;
  /** Where given and not the workshop's present epoch, nothing is appended. */
  epoch?: string;
  /** Milliseconds since 1970 by the log's clock (`now()`), after which nothing is appended. */
  deadline: number;
  commands: readonly DraftCommand[];
  /** Puts the workshop's timer to now, so that whoever looks after timers computes the next one. */
  wakes?: boolean;
  /** The node that appends: its own waiting for a user does not count for `unlessHeld`, and ends with the append. */
  node: string;
}

export type Appended =
  /** `at` is the time of all events of the append. `missing` are the events between `base` and `from`. */
  | { kind: 'appended'; from: number; to: number; at: number; epoch: string; missing: RecordedEvent[] }
  /** Someone else's event bears a mark that was read. `missing` follows on `base`; there may be more. */
  | { kind: 'conflict'; version: number; epoch: string; missing: RecordedEvent[] }
  /** These commands were done before; nothing was appended. */
  | { kind: 'done'; commands: (Done & { index: number })[]; missing: RecordedEvent[] }
  /** These commands would end a presence that is still held; nothing was appended. */
  | { kind: 'held'; commands: number[] }
  | { kind: 'epoch'; epoch: string; version: number }
  | { kind: 'late' };

/** What became of a command id. */
export interface Done {
  /** Version of the last event that it appended. */
  version: number;
  /** Empty where the id was found in the stream itself and not in the memory of ids. */
  fingerprint: string;
}

export interface Head {
  version: number;
  epoch: string;
}

/** With it one can tell whether what was seen in an earlier epoch is part of the workshop as it is. */
export interface HeadWithPast extends Head {
  /** Past epochs, as far as they are known → the version at which each ended. Up to there its events are the same. */
  past: ReadonlyMap<string, number>;
}

/** The log's answer to "am I up to date, and was this done already?". */
export interface Check extends Head {
  done: Done | null;
  /** What follows on the given version, at most `missingLimit` events. */
  missing: RecordedEvent[];
}

/** A workshop's end: what was removed is what was looked at, or nothing is. */
export interface Last extends Head {
  /** Of the event with that version. */
  eventId: string;
}

/** What an event's data becomes, all else of it staying; the very same data where it stays as well. */
export type Rewriting = (event: RecordedEvent) => unknown;

/**
 * One append, as the feed holds it. One without events, whose `to` is below its `from`, tells that what lies before was written
 * anew, under another epoch (none where it has no stream): whoever holds something of the workshop reads it again.
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

/** Leases of connections, outside the events: who is held in which room by which node. */
export interface Presence {
  /** Says that this node has connections of these users in the workshop. Before their join is decided. */
  hold(workshopId: number, userIds: readonly number[], node: string): Promise<void>;
  /**
   * Says that the last connection of these users here dropped and that another one is awaited. Without effect on whom this
   * node does not hold.
   */
  drop(workshopId: number, userIds: readonly number[], node: string): Promise<void>;
  /** Ends this node's hold on users without recording anything, such as on who was removed. */
  release(workshopId: number, userIds: readonly number[], node: string): Promise<void>;
  /**
   * Keeps all that this node holds alive for `ttlMs`. False where the lease had run out or never begun: others may have taken
   * what it held for a dead node's, so it has to say anew whom it holds.
   */
  renew(node: string, ttlMs: number): Promise<boolean>;
  /** What nodes hold whose lease ran out and which no living node holds too. Stays until `forget` or `unlessHeld`. */
  expired(): Promise<Expired[]>;
  /** Drops what this node holds in a workshop, which is over. */
  end(workshopId: number, node: string): Promise<void>;
  /** Drops what a dead node held in a workshop; nothing where it came back to life. */
  forget(workshopId: number, node: string): Promise<void>;
}

export interface Expired {
  node: string;
  workshopId: number;
  userIds: number[];
}

/** One time for each workshop at which it wants to be looked at. */
export interface Timers {
  /** Workshops whose time has come, at most `limit`. */
  due(limit: number): Promise<number[]>;
  /** Sets the time, or drops it with null; unless an event after `version` woke the workshop meanwhile. */
  set(workshopId: number, at: number | null, version: number): Promise<void>;
}

export interface EventLog {
  readonly kind: 'redis' | 'embedded';
  /** Number of partitions; a workshop's is `partitionOf(workshopId)`. */
  readonly partitions: number;
  partitionOf(workshopId: number): number;
  /** The log's clock, milliseconds since 1970, as this node knows it. */
  now(): number;
  append(append: Append): Promise<Appended>;
  /** Events after version `after`, in order, at most `limit`. */
  read(workshopId: number, after: number, limit: number): Promise<RecordedEvent[]>;
  /** null where the log does not know the workshop. */
  head(workshopId: number): Promise<HeadWithPast | null>;
  /** Everything that a refusal needs to know, in one round trip. */
  check(workshopId: number, after: number, by: number | 'system', commandId: string | null): Promise<Check>;
  tail(options: TailOptions): Tail;
  /**
   * Puts a new epoch in place of the given one, after events were lost; answers with the workshop's epoch then. Of several
   * nodes that ask, one does it.
   */
  newEpoch(workshopId: number, instead: string): Promise<string>;
  /**
   * Puts back a workshop that the log has lost altogether, from what was kept elsewhere: all its events from the first on, in
   * order, page by page. It begins a new epoch. False where there is no event, or the log has the workshop (again). Rejects
   * with `EventMissing` where one is missing; nothing is put back then.
   */
  refill(workshopId: number, pages: AsyncIterable<readonly RecordedEvent[]>): Promise<boolean>;
  /**
   * Removes a workshop's stream and all that belongs to it, for good: it is kept elsewhere. False, and nothing is removed, where
   * the workshop does not end there, or has no stream (any more).
   */
  remove(workshopId: number, last: Last): Promise<boolean>;
  /**
   * Writes the data of events anew, of what was appended meanwhile too: texts that were deleted, people who are to be
   * forgotten. Answers with the number of events that were changed. Where there were any, they are gone from the feed as well,
   * and a new epoch begins in which nothing that was seen before counts. May be repeated, also after it broke off. What is in
   * the log and cannot be parsed stays as it is.
   */
  rewrite(workshopId: number, rewriting: Rewriting): Promise<number>;
  /** Tells every reader of the feed that a workshop without a stream was written anew where it is kept. */
  announce(workshopId: number): Promise<void>;
  /** Workshops of a partition that have a stream, with their versions. */
  open(partition: number): Promise<Map<number, number>>;
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
  raiseIds(above: number): Promise<void>;
  readonly presence: Presence;
  readonly timers: Timers;
  /** Rejects where the log can't be written to right now. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** An event of a workshop that is to be put back is nowhere any more: trying again changes nothing. */
export class EventMissing extends Error {
  override name = 'EventMissing';
  constructor(
    workshopId: number,
    readonly version: number,
  ) {
    super(`of workshop ${workshopId} event ${version} was not kept`);
  }
}

/** Whether what a reader saw up to `version` in `epoch` is part of the workshop as it is now. */
export function isPart(head: HeadWithPast, epoch: string, version: number): boolean {
  return version <= (epoch === head.epoch ? head.version : (head.past.get(epoch) ?? -1));
}

/** Reads a workshop from after a version to its end, page by page, asking for the next page while one is worked on. */
export async function* readAll(
  log: Pick<EventLog, 'read'>,
  workshopId: number,
  after = 0,
  page = 1_000,
): AsyncGenerator<RecordedEvent[]> {
  let next = log.read(workshopId, after, page);
  for (;;) {
    const events = await next;
    const last = events.at(-1);
    if (last === undefined) return;
    if (events.length === page) {
      next = log.read(workshopId, last.version, page);
      // Whoever stops early leaves this page unread; its failure is then nobody's business.
      next.catch(() => {});
    }
    yield events;
    if (events.length < page) return;
  }
}

/** Events of workshops: appending, reading, and what a reader needs to know of a workshop to go on where it was. */
import type { Mark } from '../domain/define.ts';
import type { RecordedEvent } from '../domain/evolve.ts';

export interface WorkshopEvents {
  append(append: Append): Promise<Appended>;
  /** Events after version `after`, in order, at most `limit`: as they were recorded, whatever their schema. */
  read(workshopId: number, after: number, limit: number): Promise<RecordedEvent[]>;
  /** null where the log does not know the workshop. */
  head(workshopId: number): Promise<HeadWithPast | null>;
  /**
   * Puts a new epoch in place of the given one, after events were lost; answers with the workshop's epoch then. Of several
   * nodes that ask, one does it.
   */
  newEpoch(workshopId: number, instead: string): Promise<string>;
}

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

/** Whether what a reader saw up to `version` in `epoch` is part of the workshop as it is now. */
export function isPart(head: HeadWithPast, epoch: string, version: number): boolean {
  return version <= (epoch === head.epoch ? head.version : (head.past.get(epoch) ?? -1));
}

/** Reads a workshop from after a version to its end, page by page, asking for the next page while one is worked on. */
export async function* readAll(
  source: Pick<WorkshopEvents, 'read'>,
  workshopId: number,
  after = 0,
  page = 1_000,
): AsyncGenerator<RecordedEvent[]> {
  let next = source.read(workshopId, after, page);
  for (;;) {
    const events = await next;
    const last = events.at(-1);
    if (last === undefined) return;
    if (events.length === page) {
      next = source.read(workshopId, last.version, page);
      // Whoever stops early leaves this page unread; its failure is then nobody's business.
      next.catch(() => {});
    }
    yield events;
    if (events.length < page) return;
  }
}

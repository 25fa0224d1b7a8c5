/** Streams as a whole: which there are, and putting back, removing and rewriting them. What projectors and operators do. */
import type { RecordedEvent } from '../domain/evolve.ts';
import type { Head } from './events.ts';

export interface Streams {
  /** Workshops of a partition that have a stream. */
  ids(partition: number): Promise<number[]>;
  /** The same with their versions, for which the log is asked one by one. */
  open(partition: number): Promise<Map<number, number>>;
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
   * Rewrites the data of events, of what was appended meanwhile too: texts that were deleted, people who are to be
   * forgotten. Answers with the number of events that were changed. Where there were any, they are gone from the feed as well,
   * and a new epoch begins in which nothing that was seen before counts. May be repeated, also after it broke off. What is in
   * the log and cannot be parsed stays as it is.
   */
  rewrite(workshopId: number, rewriting: Rewriting): Promise<number>;
}

/** A workshop's end: what was removed is what was looked at, or nothing is. */
export interface Last extends Head {
  /** Of the event with that version. */
  eventId: string;
}

/** What an event's data becomes, all else of it staying; the very same data where it stays as well. */
export type Rewriting = (event: RecordedEvent) => unknown;

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

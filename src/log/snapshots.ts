/** Rooms as nodes have folded them, beside the events: a room that comes back is not folded from its first event on. */

export interface Snapshots {
  /**
   * Keeps a room that was folded up to `version` in `epoch`, in place of an older one. Does nothing where the workshop has no such
   * event in that epoch (any more), or a newer one is kept.
   */
  keep(workshopId: number, snapshot: Folded): Promise<void>;
  /**
   * The one that is kept, if any. It may be of events that the log lost: whoever uses it looks whether its epoch is part of the
   * workshop as it is, and whether the event is there. Goes with the stream, and when events are rewritten. Asked for right after
   * `head` it is never older than that.
   */
  read(workshopId: number): Promise<Snapshot | null>;
}

export interface Folded {
  version: number;
  epoch: string;
  /** Opaque to the log. */
  room: string;
}

export interface Snapshot extends Folded {
  /** Of the event at that version. */
  eventId: string;
}

/** One that nobody keeps anew goes by itself after this time, in a log that lives in memory. */
export const snapshotMemoryMs = 24 * 60 * 60_000;

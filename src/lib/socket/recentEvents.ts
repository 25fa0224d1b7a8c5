/** The last events of a room: what a resume is answered from. */
import type { RecordedEvent } from '../../domain/evolve.ts';

export interface RecentEvents {
  /** The next one. */
  add(event: RecordedEvent): void;
  /** Those after a version, up to another one; undefined where the first of them is not at hand (any more). */
  since(version: number, until?: number): RecordedEvent[] | undefined;
  /** The newest that is such. */
  last(isSuch?: (event: RecordedEvent) => boolean): RecordedEvent | undefined;
  /** Lets go of what is beyond those that are kept. */
  trim(): void;
  /** How many bytes of memory they take, roughly. */
  weight(): number;
}

/** Events kept for resumes, at least. */
export const recentKept = 1_024;
/** An event with its data, roughly, in bytes. */
const eventWeight = 500;

/** `after` is the version behind which they begin. */
export function recentEvents(after: number): RecentEvents {
  let before = after;
  let events: RecordedEvent[] = [];
  return {
    add: (event) => void events.push(event),
    since(version, until = before + events.length) {
      return version < before ? undefined : events.slice(version - before, until - before);
    },
    last: (isSuch = () => true) => events.findLast(isSuch),
    trim() {
      if (events.length <= 2 * recentKept) return;
      before += events.length - recentKept;
      events = events.slice(-recentKept);
    },
    weight: () => eventWeight * events.length,
  };
}

/** Forgetting a person: what is left of them in the events. What it takes away in each is told beside the event itself. */
import { eventOf, isEventType } from './catalog.ts';
import type { RecordedEvent } from './evolve.ts';

/** The event's data without what is this person's own; the very same data where nothing of it is. */
export function eraseFrom({ type, data }: Pick<RecordedEvent, 'type' | 'data'>, userId: number): unknown {
  if (!isEventType(type)) return data;
  const erased = eventOf(type).erase?.(data, userId) ?? data;
  return isSame(erased, data) ? data : erased;
}

/** Fields of events are plain values. */
function isSame(one: unknown, other: unknown): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}

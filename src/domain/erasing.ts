/**
 * What is taken out of events after the fact: texts of deleted messages, and all that is a person's own. What that is in each
 * event is told beside its definition. Both give the very same data back where there is nothing to take.
 */
import { events as catalog, eventOf, isEventType } from './catalog.ts';
import type { RecordedEvent } from './evolve.ts';

/** The data of an event that was deleted. */
export function redactedData({ type, data }: Pick<RecordedEvent, 'type' | 'data'>): unknown {
  return isEventType(type) ? changed(data, () => eventOf(type).redact?.(data)) : data;
}

/** The data without what is this person's own. */
export function erasedData({ type, data }: Pick<RecordedEvent, 'type' | 'data'>, userId: number): unknown {
  return isEventType(type) ? changed(data, () => eventOf(type).erase?.(data, userId)) : data;
}

/** Says that a chat message is to lose its text. */
export function isDeletion(event: RecordedEvent): event is RecordedEvent & { data: { id: number } } {
  const data = event.data as { id?: unknown } | null;
  return event.type === catalog['chat-deleted'].type && typeof data?.id === 'number';
}

/** Events hold plain values, and a few of them. What is not what its type says it is has nothing that could be taken. */
function changed(data: unknown, change: () => unknown): unknown {
  try {
    const into = change() ?? data;
    return JSON.stringify(into) === JSON.stringify(data) ? data : into;
  } catch (error) {
    if (error instanceof TypeError) return data;
    throw error;
  }
}

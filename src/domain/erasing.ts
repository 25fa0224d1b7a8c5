/**
 * What is taken out of events after the fact: texts of deleted messages, and all that is a person's own. What that is in each
 * event is told beside its definition. Both give the very same data back where there is nothing to take.
 */
import { events as catalog, eventOf, isEventType } from './catalog.ts';
import type { RecordedEvent } from './define.ts';
import { current, storedForm, UnknownSchema } from './upcast.ts';

/** An event as it is stored: what is taken out of it leaves data of the same schema. */
export type Stored = Pick<RecordedEvent, 'type' | 'schema' | 'data'>;

/** The data of an event that was deleted. Throws `UnknownSchema`. */
export function redactedData(event: Stored): unknown {
  return changed(event, ({ redact }) => redact?.(event.data as never));
}

/** The data without what is this person's own. Throws `UnknownSchema`. */
export function erasedData(event: Stored, userId: number): unknown {
  return changed(event, ({ erase }) => erase?.(event.data as never, userId));
}

/** The message that is to lose its text, where the event says so. */
export function deletedBy(event: RecordedEvent): number | undefined {
  if (event.type !== catalog['chat-deleted'].type) return undefined;
  const data = newestData(event) as { id?: unknown } | null;
  return typeof data?.id === 'number' ? data.id : undefined;
}

/** null where nobody here can read it: whoever folds the event says so. */
function newestData(event: RecordedEvent): unknown {
  try {
    return current(event).data;
  } catch (error) {
    if (error instanceof UnknownSchema) return null;
    throw error;
  }
}

/** Events hold plain values, and a few of them. What is not what its type says it is has nothing that could be taken. */
function changed(
  { type, schema, data }: Stored,
  change: (form: ReturnType<typeof storedForm>) => unknown,
): unknown {
  if (!isEventType(type)) return data;
  const form = storedForm({ type, schema }, eventOf(type));
  try {
    const into = change(form) ?? data;
    return JSON.stringify(into) === JSON.stringify(data) ? data : into;
  } catch (error) {
    if (error instanceof TypeError) return data;
    throw error;
  }
}

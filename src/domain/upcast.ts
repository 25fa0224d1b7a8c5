/**
 * Events as they read today. What was recorded stays as it was written, in the log and in `workshop_events`, under the number of
 * its schema; whoever folds or serves an event takes it through `current` first and knows the newest schema alone. Whoever
 * copies, compares or hashes what is stored – projections into `workshop_events`, refills, archives – does not.
 *
 * ```
 *   stored { schema: 1, data } ──upcast──► { schema: 2, data } ──upcast──► … ──► the schema of the definition
 * ```
 * An event of a type that is not known passes through: it changes nothing, so that an older node can follow a newer one. One of a
 * known type and a newer schema cannot be passed over, since it changes something that nobody here can tell: `UnknownSchema`.
 */
import { eventOf, isEventType } from './catalog.ts';
import type { EventDefinition, PastSchema, RecordedEvent } from './define.ts';

declare const newest: unique symbol;

/** An event whose data is of the newest schema of its type. Made by `current` and `read` alone. */
export type CurrentEvent = RecordedEvent & { readonly [newest]: true };

/** Recorded by a newer version of the program, most likely: it has to be read by one. */
export class UnknownSchema extends Error {
  override name = 'UnknownSchema';
  readonly code = 'unavailable';
  constructor({ type, schema }: Pick<RecordedEvent, 'type' | 'schema'>, known: number) {
    super(
      `${type} has schema ${schema}, and this version knows it up to ${known}: a newer one has to read it`,
    );
  }
}

/** The event with the newest data of its type; the very same object where it was recorded with that. Throws `UnknownSchema`. */
export function current(event: RecordedEvent): CurrentEvent {
  if (!isEventType(event.type)) return event as CurrentEvent;
  return read(event, eventOf(event.type));
}

/** As `current`, for whoever has looked the definition up already. */
export function read(event: RecordedEvent, definition: EventDefinition): CurrentEvent {
  return (event.schema === definition.schema ? event : upcast(event, definition)) as CurrentEvent;
}

/** What the definition says of the data as it is stored. Throws `UnknownSchema`. */
export function storedForm(
  { type, schema }: Pick<RecordedEvent, 'type' | 'schema'>,
  definition: EventDefinition,
): Pick<PastSchema, 'redact' | 'erase'> {
  if (schema === definition.schema) return definition;
  const past = definition.upcasts?.[schema - 1];
  if (past === undefined) throw new UnknownSchema({ type, schema }, definition.schema);
  return past;
}

function upcast(event: RecordedEvent, { schema, upcasts = [] }: EventDefinition): RecordedEvent {
  if (upcasts[event.schema - 1] === undefined) throw new UnknownSchema(event, schema);
  let { data } = event;
  // Data of each schema in turn: that it is of the one that the upcast takes is what its number says.
  for (const past of upcasts.slice(event.schema - 1)) data = past.upcast(data as never);
  return { ...event, schema, data };
}

/** Events as rows of `workshop_events`: as they were recorded, each under the number of the schema that it was recorded with. */
import { z } from 'zod';
import { eventOf, eventTypes } from '../../src/domain/catalog.ts';
import { redactedData } from '../../src/domain/erasing.ts';
import type { RecordedEvent } from '../../src/domain/evolve.ts';
import { UnknownSchema } from '../../src/domain/upcast.ts';
import type { EventRow } from './schema.ts';

export function eventRow(workshopId: number, event: RecordedEvent): EventRow {
  const { version, eventId, type, schema, at, by, commandId, data } = event;
  return { workshopId, version, eventId, type, schema, at, by: String(by), commandId, data };
}

/** Takes out of an event what a deletion takes away. Where nobody here can tell what that is, its place alone stays. */
export function redactRow(row: EventRow): void {
  try {
    row.data = redactedData(row);
  } catch (error) {
    if (!(error instanceof UnknownSchema)) throw error;
    Object.assign(row, placeholder(row.type));
  }
}

export function recordedEvent(row: EventRow): RecordedEvent {
  const { version, eventId, type, schema, at, by, commandId } = row;
  const data = inOrder(type, row.data);
  return { version, eventId, type, schema, at, by: by === 'system' ? by : Number(by), commandId, data };
}

/** The fields of each event's data, in the order in which the log has them: that of their schema. */
const fields = new Map<string, readonly string[]>(
  eventTypes.map((type) => {
    const { data } = eventOf(type);
    return [type, data instanceof z.ZodObject ? Object.keys(data.shape) : []];
  }),
);

/** `jsonb` has an order of its own; whoever reads an event must not see where it is kept. */
function inOrder(type: string, data: unknown): unknown {
  if (typeof data !== 'object' || data === null) return data;
  const given: Record<string, unknown> = { ...data };
  const ordered: Record<string, unknown> = {};
  for (const field of fields.get(type) ?? []) if (field in given) ordered[field] = given[field];
  return Object.assign(ordered, given);
}

/** Stands for the id of an event whose entry in the log can't be parsed. */
export const unreadableId = (version: number): string => `unreadable-${version}`;

/** Of a type that nobody knows: whoever reads it passes over it, and no version is missing. */
const placeholderType = 'unstorable';

/**
 * Keeps the place of an event that was given up and that Postgres does not take as it is, with what can be kept of it.
 * `event` is undefined where the log's own entry can't be parsed; `at` is the time of the event before.
 */
export function placeholderRow(
  workshopId: number,
  { version, at, event }: { version: number; at: number; event: RecordedEvent | undefined },
): EventRow {
  return {
    ...{ workshopId, version, ...placeholder(event?.type) },
    eventId: event?.eventId ?? unreadableId(version),
    at: event !== undefined && event.at >= at && Number.isSafeInteger(event.at) ? event.at : at,
    by:
      event !== undefined && (event.by === 'system' || Number.isSafeInteger(event.by))
        ? String(event.by)
        : 'system',
    commandId: plain(event?.commandId ?? ''),
  };
}

function placeholder(was: string | undefined): Pick<EventRow, 'type' | 'schema' | 'data'> {
  return { type: placeholderType, schema: 1, data: was === undefined ? {} : { was: plain(was) } };
}

/** Text that Postgres takes, whatever it was. */
function plain(text: string): string {
  return String(text).replaceAll('\0', '').toWellFormed();
}

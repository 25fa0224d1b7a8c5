/** Events as rows of `workshop_events`, as the log holds them. */
import { eventOf, isEventType } from '../../src/domain/catalog.ts';
import type { RecordedEvent } from '../../src/domain/evolve.ts';
import type { EventRow } from './schema.ts';

export function eventRow(workshopId: number, event: RecordedEvent): EventRow {
  const { version, eventId, type, schema, at, by, commandId, data } = event;
  return { workshopId, version, eventId, type, schema, at, by: String(by), commandId, data };
}

/** Takes out of an event what a deletion takes away. */
export function redactRow(row: EventRow): void {
  if (!isEventType(row.type)) return;
  const { redact } = eventOf(row.type);
  if (redact !== undefined) row.data = redact(row.data);
}

export function recordedEvent(row: EventRow): RecordedEvent {
  const { version, eventId, type, schema, at, by, commandId, data } = row;
  return { version, eventId, type, schema, at, by: by === 'system' ? by : Number(by), commandId, data };
}

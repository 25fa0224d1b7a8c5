/** Reading events of the embedded store, and finding out what became of a command id. */
import type { RecordedEvent } from '../../domain/evolve.ts';
import type { Done, Head } from '../log.ts';
import { type By, type EventRow, type Store, top } from './store.ts';

export type StoredEvent = { key: [workshopId: number, version: number]; value: EventRow };

/** Undefined where the store has no events of the workshop. */
export function headOf(store: Store, workshopId: number): (Head & { at: number }) | undefined {
  const row = store.heads.get(workshopId);
  if (row === undefined || row[3] === true) return undefined;
  return { version: row[0], at: row[1], epoch: row[2] ?? store.epoch };
}

/** Rows of the events after a version, in order, at most `limit`. */
export function eventRows(
  store: Store,
  workshopId: number,
  after: number,
  limit: number,
): Iterable<StoredEvent> {
  // What was removed may be there for a moment longer, and what is being put back is not there before it is whole.
  if (limit <= 0 || headOf(store, workshopId) === undefined) return [];
  return store.events.getRange({ start: [workshopId, after + 1], end: [workshopId, top], limit });
}

export function readEvents(store: Store, workshopId: number, after: number, limit: number): RecordedEvent[] {
  return Array.from(eventRows(store, workshopId, after, limit), recorded);
}

export function recorded({ key: [, version], value }: StoredEvent): RecordedEvent {
  const [at, eventId, type, schema, by, commandId, data] = value;
  return { version, at, eventId, type, schema, by, commandId, data: JSON.parse(data) };
}

/** What became of a command: from the memory of ids, else from events that its sender has not seen. */
export function commandDone(
  store: Store,
  { workshopId, by, commandId }: { workshopId: number; by: By; commandId: string },
  remembered: boolean,
  unseen: readonly StoredEvent[],
): Done | null {
  const memory = remembered ? store.done.get([workshopId, by, commandId]) : undefined;
  if (memory !== undefined) return { version: memory[0], fingerprint: memory[1] };
  const own = unseen.filter(({ value }) => value[4] === by && value[5] === commandId).at(-1);
  return own === undefined ? null : { version: own.key[1], fingerprint: '' };
}

/**
 * Events that an operator gave up. The event stays in the log and its place in `workshop_events`; what it would have changed
 * is left out of the tables whenever they are folded, and what follows on it is folded as if it had changed nothing.
 */
import type { RecordedEvent } from '../../src/domain/evolve.ts';
import type { Database } from '../database/database.ts';
import { unreadableId } from '../events/projection.ts';

export interface Skip {
  /** Of the very event; null where the log's entry can't be parsed. */
  eventId: string | null;
  by: string;
}

/** The events of a workshop that were given up, by version. */
export type Skips = ReadonlyMap<number, Skip>;

/** The skip that names this very event; for an entry that can't be parsed, give its version alone. */
export function skipOf(skips: Skips, event: Pick<RecordedEvent, 'version'> & { eventId?: string }) {
  const skip = skips.get(event.version);
  if (skip === undefined) return undefined;
  const { eventId = unreadableId(event.version) } = event;
  return (skip.eventId ?? unreadableId(event.version)) === eventId ? skip : undefined;
}

export async function skipsOf(database: Database, workshopId: number): Promise<Skips> {
  const rows = await database.query(
    'select version, event_id, skipped_by from projection_skipped where workshop_id = $1::bigint',
    [workshopId],
  );
  return new Map(
    rows.map((row) => [
      Number(row.version),
      { eventId: row.event_id === null ? null : String(row.event_id), by: String(row.skipped_by) },
    ]),
  );
}

/** Every workshop with an event that was given up, and the versions of these events. */
export async function allSkipped(database: Database): Promise<Map<number, number[]>> {
  const rows = await database.query('select workshop_id, version from projection_skipped', []);
  const all = new Map<number, number[]>();
  for (const row of rows) {
    const id = Number(row.workshop_id);
    all.set(id, [...(all.get(id) ?? []), Number(row.version)]);
  }
  return all;
}

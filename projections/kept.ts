/** What `workshop_events` keeps of a workshop, and how far that is what the log has. */
import type { RecordedEvent } from '../src/domain/evolve.ts';
import type { Database } from './database.ts';
import { recordedEvent } from './events/projection.ts';
import type { EventRow } from './events/schema.ts';
import type { ProjectedLog } from './feed.ts';
import { isInLog, type Kept } from './pages.ts';

/** Events that Postgres keeps after a version, at most `limit`. */
export async function keptEvents(
  database: Database,
  workshopId: number,
  after: number,
  limit: number,
): Promise<RecordedEvent[]> {
  const rows = await database.query(
    `select workshop_id as "workshopId", version, event_id as "eventId", type, schema, at, by,
       command_id as "commandId", data
     from workshop_events where workshop_id = $1::bigint and version > $2::bigint order by version limit $3::bigint`,
    [workshopId, after, limit],
  );
  return rows.map((row) => recordedEvent(row as unknown as EventRow)); // the columns of this very table
}

/** The last event that is kept. */
export async function lastKept(database: Database, workshopId: number): Promise<Kept | undefined> {
  const [row] = await database.query(
    `select version, event_id from workshop_events
     where workshop_id = $1::bigint order by version desc limit 1`,
    [workshopId],
  );
  return row && { version: Number(row.version), eventId: String(row.event_id) };
}

/** The highest version, up to `highest`, up to which the log and the tables have the same events. */
export async function lastCommon(
  database: Database,
  log: Pick<ProjectedLog, 'read'>,
  workshopId: number,
  highest: number,
): Promise<number> {
  let [same, other] = [0, highest + 1];
  while (other - same > 1) {
    const middle = Math.floor((same + other) / 2);
    const [row] = await keptEvents(database, workshopId, middle - 1, 1);
    if (row !== undefined && (await isInLog(log, workshopId, row))) same = middle;
    else other = middle;
  }
  return same;
}

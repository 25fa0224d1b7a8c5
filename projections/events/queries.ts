/** Reads of `workshop_events`: the history of workshops whose stream the log has let go of. */
import { and, asc, count, eq, gt, max } from 'drizzle-orm';
import type { RecordedEvent } from '../../src/domain/evolve.ts';
import type { Database } from '../database.ts';
import { reading } from '../page.ts';
import { recordedEvent } from './projection.ts';
import { events } from './schema.ts';

/** Events after version `after`, in order, at most `limit`, as the log's `read`. Deleted messages have no text. */
export function readEvents(
  { drizzle }: Database,
  workshopId: number,
  after: number,
  limit: number,
): Promise<RecordedEvent[]> {
  return reading(async () => {
    const rows = await drizzle
      .select()
      .from(events)
      .where(and(eq(events.workshopId, workshopId), gt(events.version, after)))
      .orderBy(asc(events.version))
      .limit(limit);
    return rows.map(recordedEvent);
  });
}

/** How many events are kept, and the version of the last one: where the two differ, events are missing. */
export function keptHistory(
  { drizzle }: Database,
  workshopId: number,
): Promise<{ events: number; version: number }> {
  return reading(async () => {
    const [row] = await drizzle
      .select({ events: count(), version: max(events.version) })
      .from(events)
      .where(eq(events.workshopId, workshopId));
    return { events: row?.events ?? 0, version: row?.version ?? 0 };
  });
}

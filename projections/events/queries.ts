/** Reads of `workshop_events`: the history of workshops whose stream the log has let go of. */
import { and, asc, eq, gt, inArray, max } from 'drizzle-orm';
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

/** What `workshop_events` keeps, for whoever reads a workshop that has no stream. */
export function keptEvents(database: Database): {
  read(workshopId: number, after: number, limit: number): Promise<RecordedEvent[]>;
  /** The events at these versions, in order, as far as they are kept. */
  each(workshopId: number, versions: readonly number[]): Promise<RecordedEvent[]>;
  /** Version of the last event that is kept; 0 where there is none. */
  version(workshopId: number): Promise<number>;
} {
  return {
    read: (...page) => readEvents(database, ...page),
    each: (workshopId, versions) =>
      reading(async () => {
        const rows = await database.drizzle
          .select()
          .from(events)
          .where(and(eq(events.workshopId, workshopId), inArray(events.version, [...versions])))
          .orderBy(asc(events.version));
        return rows.map(recordedEvent);
      }),
    version: (workshopId) =>
      reading(async () => {
        const [row] = await database.drizzle
          .select({ version: max(events.version) })
          .from(events)
          .where(eq(events.workshopId, workshopId));
        return row?.version ?? 0;
      }),
  };
}

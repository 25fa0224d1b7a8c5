/** Reads of `workshop_events`: what is stored of a workshop's events, also after the log has let go of its stream. */
import type { RecordedEvent } from '../../src/domain/evolve.ts';
import { namedColumns } from '../database/columns.ts';
import type { Database, Row } from '../database/database.ts';
import { arrayText } from '../database/encoding.ts';
import { reading } from '../database/page.ts';
import { recordedEvent } from './projection.ts';
import { type EventRow, events } from './schema.ts';

/** As the log has them, but for deleted messages, which have no text. A database that is away is `unavailable`. */
export interface StoredEvents {
  /** Events after version `after`, in order, at most `limit`, as the log's `read`. */
  read(workshopId: number, after: number, limit: number): Promise<RecordedEvent[]>;
  /** The events at these versions, in order, as far as they are stored. */
  each(workshopId: number, versions: readonly number[]): Promise<RecordedEvent[]>;
  /** The last event that is stored; undefined where there is none. */
  last(workshopId: number): Promise<RecordedEvent | undefined>;
  /** Its version; 0 where there is none. */
  version(workshopId: number): Promise<number>;
}

export function storedEvents(database: Pick<Database, 'query'>): StoredEvents {
  const select = (condition: string, parameters: (number | string)[]) =>
    reading(async () => {
      const rows = await database.query(
        `select ${columns} from workshop_events where ${condition}`,
        parameters,
      );
      return rows.map(eventOf);
    });
  const last = async (workshopId: number) => {
    const [event] = await select('workshop_id = $1::bigint order by version desc limit 1', [workshopId]);
    return event;
  };
  return {
    read: (workshopId, after, limit) =>
      select('workshop_id = $1::bigint and version > $2::bigint order by version limit $3::bigint', [
        ...[workshopId, after, limit],
      ]),
    each: (workshopId, versions) =>
      select('workshop_id = $1::bigint and version = any($2::text::bigint[]) order by version', [
        ...[workshopId, arrayText(versions)],
      ]),
    last,
    version: async (workshopId) => (await last(workshopId))?.version ?? 0,
  };
}

const columns = namedColumns(events);

function eventOf(row: Row): RecordedEvent {
  return recordedEvent(row as unknown as EventRow); // the columns of this very table
}

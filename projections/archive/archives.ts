/** Reads and writes of `workshop_archives`, and what is due to be archived. */
import { reducer } from '../../src/domain/evolve.ts';
import type { Checkpoint } from '../checkpoints/leases.ts';
import { projectionName } from '../checkpoints/schema.ts';
import { instantText, namedColumns } from '../database/columns.ts';
import type { Database } from '../database/database.ts';
import { arrayText } from '../database/encoding.ts';
import type { Account } from './account.ts';
import { type ArchiveRow, archives } from './schema.ts';

/** Whether the log lets go of the streams of archived workshops, or keeps them. */
export type ArchivedStreams = 'removed' | 'kept';

export interface Due {
  workshopId: number;
  /** That the tables have. */
  version: number;
  /** Of the event at that version. */
  eventId: string;
  /** Why it has to stay as it is for now. */
  waits: 'parked' | 'skipped' | undefined;
  /** Events that ever lost something of people who were to be forgotten. */
  erased: number;
}

export interface Asked {
  /** Workshops that have a stream. */
  among: readonly number[];
  /** Which ended not later than this, milliseconds since 1970. */
  endedUntil: number;
  /** Whose last event is not younger than this. */
  quietSince: number;
  /** Leaves out what was recorded at its present version. */
  unrecorded: boolean;
}

/** Workshops that are over and were left alone since, the oldest first. */
export async function dueWorkshops(
  database: Database,
  { among, endedUntil, quietSince, unrecorded }: Asked,
): Promise<Due[]> {
  if (among.length === 0) return [];
  const rows = await database.query(
    `select w.id, w.version, e.event_id,
       exists (select from projection_parked p where p.workshop_id = w.id) as parked,
       exists (select from projection_skipped s where s.workshop_id = w.id) as skipped,
       ${erasedEvents} as erased
     from workshops w join workshop_events e on e.workshop_id = w.id and e.version = w.version
     where w.id = any($1::text::bigint[]) and w.status in ('ended', 'cancelled')
       and w.ended_at <= $2::text::timestamptz and e.at <= $4::text::timestamptz
       and not ($3::text::boolean and ${isRecorded}) and not ${isBeingErased}
     order by e.at`,
    [arrayText(among), instantText(endedUntil), String(unrecorded), instantText(quietSince)],
  );
  return rows.map((row) => ({
    workshopId: Number(row.id),
    version: Number(row.version),
    eventId: String(row.event_id),
    waits: row.parked === true ? 'parked' : row.skipped === true ? 'skipped' : undefined,
    erased: Number(row.erased),
  }));
}

/** Of the workshop `w`. */
const erasedEvents =
  '(select coalesce(sum(events), 0)::bigint from workshop_erasures x where x.workshop_id = w.id)';
const isBeingErased =
  'exists (select from workshop_erasures x where x.workshop_id = w.id and x.done_at is null)';

/** Under which the owner of the workshop's partition records. */
type Fence = Pick<Checkpoint, 'partition' | 'fence'>;

/**
 * Records what a workshop came to, where the tables are still at that version, and nobody was forgotten in it since `erased`
 * events had lost something. False where that is not so, or the partition is another's. May be repeated.
 */
export function recordArchive(
  database: Database,
  fence: Fence,
  { workshopId, erased }: Pick<Due, 'workshopId' | 'erased'>,
  account: Account,
): Promise<boolean> {
  return record(database, fence, workshopId, account, `${erasedEvents} = ${erased} and not ${isBeingErased}`);
}

/** The same for a workshop that was recorded at this very version, now that something was taken out of it. */
export function recordArchiveAgain(
  database: Database,
  fence: Fence,
  workshopId: number,
  account: Account,
): Promise<boolean> {
  return record(database, fence, workshopId, account, isRecorded);
}

/** Of the workshop `w`: as it is now. */
const isRecorded =
  'exists (select from workshop_archives a where a.workshop_id = w.id and a.version = w.version)';

async function record(
  database: Database,
  { partition, fence }: Fence,
  workshopId: number,
  { version, hash, state, steps }: Account,
  condition: string,
): Promise<boolean> {
  const rows = await database.query(
    `insert into workshop_archives (workshop_id, version, hash, reducer, state, steps, archived_at)
     select w.id, w.version, $5::text, $6::integer, $7::text, $8::text, now()
     from workshops w, projection_checkpoints c
     where w.id = $1::bigint and w.version = $2::bigint
       and c.projection = '${projectionName}' and c.partition = $3::integer and c.fence = $4::bigint
       and ${condition}
     on conflict (workshop_id) do update set version = excluded.version, hash = excluded.hash,
       reducer = excluded.reducer, state = excluded.state, steps = excluded.steps, archived_at = excluded.archived_at
     returning workshop_id`,
    [workshopId, version, partition, fence, hash, reducer, state, steps],
  );
  return rows.length > 0;
}

/** Whether what is recorded of a workshop is what it came to by now. */
export async function isArchived(database: Database, workshopId: number): Promise<boolean> {
  const rows = await database.query(`select 1 from workshops w where w.id = $1::bigint and ${isRecorded}`, [
    workshopId,
  ]);
  return rows.length > 0;
}

export interface Archive extends ArchiveRow {
  /** Of the last event that is kept now: another one where the workshop went on since. */
  present: number;
}

/** What was recorded of all workshops. */
export function archivesOf(database: Database) {
  return {
    /** Of workshops above an id, in the order of ids, `limit` of them at most. */
    async after(workshopId: number, limit: number): Promise<Archive[]> {
      const rows = await database.query(
        `select ${namedColumns(archives, 'a')}, coalesce(w.version, 0) as present
         from workshop_archives a left join workshops w on w.id = a.workshop_id
         where a.workshop_id > $1::bigint order by a.workshop_id limit $2::bigint`,
        [workshopId, limit],
      );
      return rows as unknown as Archive[]; // the columns of this very table, and one more
    },
    async count(): Promise<number> {
      const [row] = await database.query('select count(*) as archived from workshop_archives', []);
      return Number(row?.archived ?? 0);
    },
  };
}

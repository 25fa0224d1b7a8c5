/**
 * The table of snapshots. What was folded before someone deleted a workshop's snapshots must not be written after: it may
 * hold the name of a person who is to be forgotten. So a workshop's snapshots have a run, a row of version 0 with an id of its
 * own, which is begun before the first event is read, goes with the rest, and is held while a snapshot is written.
 */
import { randomUUID } from 'node:crypto';
import { and, desc, eq, gt, lte } from 'drizzle-orm';
import { type RecordedEvent, reducer } from '../../src/domain/evolve.ts';
import { emptyRoom } from '../../src/domain/room.ts';
import { instantText } from '../database/columns.ts';
import type { Database } from '../database/database.ts';
import { reading } from '../database/page.ts';
import { type ResumedRoom, roomOf } from './room.ts';
import { snapshots as table } from './schema.ts';

export interface Snapshot {
  version: number;
  /** Of the event at that version. */
  eventId: string;
  /** Milliseconds since 1970 of that event. */
  at: number;
  /** As `snapshotText` wrote it. */
  room: string;
}

/** Neither of a later version nor, where it is given, of a later time in milliseconds since 1970. */
export interface Bound {
  version: number;
  at?: number;
}

export interface Snapshots {
  /** The newest one within the bound that this program's fold made. */
  before(workshopId: number, bound: Bound): Promise<Snapshot | undefined>;
  /** The run that what is folded from now on belongs to. */
  begin(workshopId: number): Promise<string>;
  /** Writes one, or writes it again. False where the run is over: what was folded is not to be kept. */
  put(workshopId: number, run: string, snapshot: Snapshot): Promise<boolean>;
  /** Deletes those that another version of the fold made. */
  dropOlder(workshopId: number): Promise<void>;
  /** Deletes all of the workshop's, and ends their run. What is being folded meanwhile is not written. */
  remove(workshopId: number): Promise<void>;
}

/** `fold` is another number than the domain's in tests alone. */
export function roomSnapshots(database: Database, fold = reducer): Snapshots {
  return {
    before: (workshopId, { version, at }) =>
      reading(async () => {
        const [found] = await database.drizzle
          .select({ version: table.version, eventId: table.eventId, at: table.at, room: table.room })
          .from(table)
          .where(
            and(
              ...[eq(table.workshopId, workshopId), eq(table.reducer, fold)],
              ...[gt(table.version, 0), lte(table.version, version)],
              at === undefined ? undefined : lte(table.at, at),
            ),
          )
          .orderBy(desc(table.version))
          .limit(1);
        return found;
      }),
    async begin(workshopId) {
      for (;;) {
        const [row] = await database.query(
          `with begun as (
             insert into workshop_snapshots (workshop_id, reducer, version, event_id, at, room)
             values ($1::bigint, $2::integer, 0, $3::text, now(), '') on conflict do nothing returning event_id
           )
           select event_id from begun union all
           select event_id from workshop_snapshots
           where workshop_id = $1::bigint and reducer = $2::integer and version = 0`,
          [workshopId, fold, randomUUID()],
        );
        // None where someone else began it at this very moment: it is seen by the next statement.
        if (row !== undefined) return String(row.event_id);
      }
    },
    async put(workshopId, run, { version, eventId, at, room }) {
      const rows = await database.query(
        `with run as (
           select from workshop_snapshots
           where workshop_id = $1::bigint and reducer = $2::integer and version = 0 and event_id = $3::text for share
         )
         insert into workshop_snapshots (workshop_id, reducer, version, event_id, at, room)
         select $1::bigint, $2::integer, $4::bigint, $5::text, $6::text::timestamptz, $7::text from run
         on conflict (workshop_id, reducer, version)
           do update set event_id = excluded.event_id, at = excluded.at, room = excluded.room
         returning version`,
        [workshopId, fold, run, version, eventId, instantText(at), room],
      );
      return rows.length > 0;
    },
    async dropOlder(workshopId) {
      await database.query(
        'delete from workshop_snapshots where workshop_id = $1::bigint and reducer < $2::integer',
        [workshopId, fold],
      );
    },
    async remove(workshopId) {
      // One that was being written when the statement began is not seen by it, and is gone with the next one.
      for (let deleted = 1; deleted > 0; ) {
        const rows = await database.query(
          'delete from workshop_snapshots where workshop_id = $1::bigint returning version',
          [workshopId],
        );
        deleted = rows.length;
      }
    },
  };
}

/** What snapshots need of a workshop's history: its version when it was opened, and the events up to there. */
export interface FoldedHistory {
  readonly workshopId: number;
  readonly version: number;
  read(after: number, limit: number): Promise<RecordedEvent[]>;
  pages(after?: number, size?: number): AsyncIterable<readonly RecordedEvent[]>;
}

/**
 * Where the fold of a past room begins: at the newest snapshot that fits, or with nothing. One counts only if the history has
 * that very event at its version: the log may have lost what was folded.
 */
export async function resumed(
  snapshots: Pick<Snapshots, 'before'>,
  history: FoldedHistory,
  bound: Bound,
): Promise<ResumedRoom> {
  for (let { version } = bound; ; ) {
    const found = await snapshots.before(history.workshopId, { ...bound, version });
    if (found === undefined) return { room: emptyRoom(history.workshopId), chat: [] };
    const [event] = await history.read(found.version - 1, 1);
    if (event?.eventId === found.eventId) return roomOf(found.room);
    version = found.version - 1;
  }
}

/**
 * Asking for a person to be forgotten. What was found to concern them is written down, workshop by workshop, and the projectors
 * that have the partitions do it; it goes on wherever it was broken off.
 */

import type { Database } from '../database/database.ts';
import { arrayText } from '../database/encoding.ts';
import type { ProjectedLog } from '../fold/source.ts';
import { note } from '../notes/notes.ts';
import { foldedVersions } from '../workshops/queries.ts';

/** How far an erasure is. Events and messages are all that ever lost something, also in earlier erasures. */
export interface ErasureProgress {
  /** Workshops that are still to be looked at. */
  left: number;
  /** Workshops in which something was taken away. */
  workshops: number;
  events: number;
  messages: number;
}

export interface ErasureRequest {
  userId: number;
  /** Who asks. */
  by: string;
}

/** Resolves once it is written down. It may be asked for again at any time. */
export async function requestErasure(
  database: Database,
  log: ProjectedLog,
  { userId, by }: ErasureRequest,
): Promise<void> {
  await database.ready;
  // The log first: what is folded in between is in the tables then.
  const ahead = await aheadOfTables(database, log);
  const ids = [...ahead, ...(await inTables(database, userId))];
  const unique = [...new Set(ids)];
  await database.query(
    `insert into workshop_erasures
       (user_id, workshop_id, partition, requested_by, requested_at, done_at, events, messages)
     select $1::bigint, w.id, w.partition, $2::text, now(), null, 0, 0
     from unnest($3::text::bigint[], $4::text::integer[]) as w(id, partition)
     on conflict (user_id, workshop_id) do update set requested_by = excluded.requested_by,
       requested_at = excluded.requested_at, done_at = null`,
    [userId, by, arrayText(unique), arrayText(unique.map((id) => log.partitionOf(id)))],
  );
  await note({ database, log }, 'workshop_erasures', { user_id: userId });
}

/**
 * Whoever was in a workshop in any way has a row there; so has the host once they were in, and before that the workshop names
 * them. What was given up, and what the log lost, may be in no row.
 */
async function inTables(database: Database, userId: number): Promise<number[]> {
  const rows = await database.query(
    `select workshop_id as id from workshop_attendees where user_id = $1::bigint
     union select id from workshops where host_id = $1::bigint
     union select workshop_id from projection_skipped
     union select id from workshops where version = 0
     union select workshop_id from workshop_events_lost
       where "by" = $1::bigint::text or $1::bigint::text in (data->>'userId', data->>'by')
     union select workshop_id from workshop_erasures where user_id = $1::bigint`,
    [userId],
  );
  return rows.map((row) => Number(row.id));
}

/** Workshops of which the log holds more than the tables: who is in the rest shows when it is read. */
async function aheadOfTables(database: Database, log: ProjectedLog): Promise<number[]> {
  const ahead: number[] = [];
  for (let partition = 0; partition < log.partitions; partition++) {
    const open = await log.streams.open(partition);
    const folded = await foldedVersions(database, [...open.keys()]);
    for (const [id, version] of open) if ((folded.get(id) ?? 0) < version) ahead.push(id);
  }
  return ahead;
}

export async function erasureProgress(database: Database, userId: number): Promise<ErasureProgress> {
  const [row] = await database.query(
    `select count(*) filter (where done_at is null) as left, count(*) filter (where events > 0) as workshops,
       coalesce(sum(events), 0)::bigint as events, coalesce(sum(messages), 0)::bigint as messages
     from workshop_erasures where user_id = $1::bigint`,
    [userId],
  );
  const count = (name: keyof ErasureProgress) => Number(row?.[name] ?? 0);
  return {
    ...{ left: count('left'), workshops: count('workshops') },
    ...{ events: count('events'), messages: count('messages') },
  };
}

export interface OpenErasure {
  userId: number;
  workshopId: number;
  partition: number;
  /** As the database writes it, with all its digits. */
  requestedAt: string;
}

/** What is still to be done in these partitions, a part of it at a time. */
export async function openErasures(
  database: Database,
  partitions: readonly number[],
): Promise<OpenErasure[]> {
  const rows = await database.query(
    `select user_id, workshop_id, partition, requested_at::text as since from workshop_erasures
     where done_at is null and partition = any($1::text::integer[]) order by requested_at, workshop_id limit 500`,
    [arrayText(partitions)],
  );
  return rows.map((row) => ({
    userId: Number(row.user_id),
    workshopId: Number(row.workshop_id),
    partition: Number(row.partition),
    requestedAt: String(row.since),
  }));
}

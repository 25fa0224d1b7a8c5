/** Asking for the tables to be rebuilt. The projectors that have the partitions do it, beside their other work. */
import { lockedCheckpoints, projectionName } from '../checkpoints/schema.ts';
import type { Database } from '../database/database.ts';

/**
 * Asks for every workshop to be folded again from its first event on; `workshop_events` is kept, and read where the log has let
 * go of a stream. The tables are read and followed meanwhile. Where a rebuild is under way that one goes on, and no other is
 * begun. Answers with the number of partitions.
 */
export async function requestRebuild(database: Database): Promise<number> {
  await database.ready;
  await database.query(
    `with every as (${lockedCheckpoints('true')})
     update projection_checkpoints c set rebuild_requested = true, rebuild_done = null, rebuild_total = null
     from every where c.projection = every.projection and c.partition = every.partition
       and not exists (select from projection_checkpoints where projection = '${projectionName}' and rebuild_requested)`,
    [],
  );
  const [row] = await database.query(
    `select count(*) as partitions from projection_checkpoints where projection = '${projectionName}'`,
    [],
  );
  return Number(row?.partitions);
}

/**
 * Cancels every rebuild that is under way: another one begins. For whoever changes events that were recorded: once this has resolved nothing
 * gets into the tables of what a rebuild has read before. What it has written until then is the caller's to change.
 */
export async function callOffRebuilds(database: Database): Promise<void> {
  await database.query(`delete from projection_chunks where projection = '${projectionName}'`, []);
}

/** What `rebuild` may be asked by: the tables are folded together, so each of these names means all of them. */
export const rebuildNames = [
  projectionName,
  ...['workshops', 'workshop_attendees', 'workshop_chat_messages', 'workshop_events'],
] as const;

/** How many partitions are still to be rebuilt. */
export async function rebuildsLeft(database: Database): Promise<number> {
  const rows = await database.query(
    `select count(*) as left from projection_checkpoints
     where projection = '${projectionName}' and rebuild_requested`,
    [],
  );
  return Number(rows[0]?.left);
}

/** What becomes of a workshop whose log has other events than its tables: it lost some, or an old backup of it was put back. */
import { type Head, readAll } from '../../src/log/log.ts';
import { type ArchivedStreams, isArchived } from '../archive/archives.ts';
import type { FencedWriter } from '../checkpoints/fencedWriter.ts';
import type { Database } from '../database/database.ts';
import { storedEvents } from '../events/queries.ts';
import { skipOf, skipsOf } from '../fold/skips.ts';
import type { ProjectedLog } from '../fold/source.ts';
import { Unfoldable } from '../parked/parked.ts';
import { isInLog, lastCommon } from './compare.ts';

export interface DivergedOptions {
  database: Database;
  log: ProjectedLog;
  /** Whether the log lets go of what is archived. */
  archives: ArchivedStreams;
  writer: FencedWriter;
  /** The log has other events after `version` than the tables had; those were put aside. */
  onDiverged(workshopId: number, version: number): void;
}

/**
 * Sees to it that the tables hold nothing that the log has otherwise. `stale`: the log's stream was an old one of a workshop that
 * is archived, and was removed. Throws `Unfoldable` and `Fenced`.
 */
export async function reconcile(
  options: DivergedOptions,
  workshopId: number,
  head: Head,
): Promise<'agree' | 'stale'> {
  const { database, log, archives, writer, onDiverged } = options;
  const last = await storedEvents(database).last(workshopId);
  if (last === undefined || (await isInLog(log, workshopId, last))) return 'agree';
  const common = await lastCommon(database, log, workshopId, Math.min(last.version, head.version));
  const now = await log.events.head(workshopId);
  // Half of one history and half of another, or of none, must not be taken for what the log has.
  if (now?.epoch !== head.epoch) throw new Error(`workshop ${workshopId} changed while it was compared`);
  if (archives === 'removed' && (await isArchived(database, workshopId))) {
    await dropStale(options, workshopId, head, common);
    return 'stale';
  }
  await takeBack(writer, workshopId, common);
  onDiverged(workshopId, common);
  return 'agree';
}

/**
 * The log has a stream of a workshop that had left it, and the tables have more: it was put back from an old backup. What is
 * archived is kept for good.
 */
async function dropStale(
  { database, log, onDiverged }: DivergedOptions,
  workshopId: number,
  { version, epoch }: Head,
  common: number,
): Promise<void> {
  const skips = await skipsOf(database, workshopId);
  let eventId = '';
  for await (const page of readAll(log.events, workshopId, Math.min(common, version - 1)))
    for (const event of page) {
      eventId = event.eventId;
      // Timers go off by themselves in a room that is old; what people did in it is an operator's to give up.
      const mayGo = event.version <= common || event.by === 'system' || skipOf(skips, event) !== undefined;
      if (!mayGo)
        throw new Unfoldable(event.version, new Error('it follows on a backup of what is archived'));
    }
  if (common < version) onDiverged(workshopId, common);
  if (!(await log.streams.remove(workshopId, { version, epoch, eventId })))
    throw new Error(`workshop ${workshopId} went on while its old stream was looked at`);
}

/**
 * Puts events after `common` aside and the workshop's rows back to nothing, to be folded again. A trigger of the table keeps
 * what is deleted from `workshop_events` in `workshop_events_lost`.
 */
async function takeBack(writer: FencedWriter, workshopId: number, common: number): Promise<void> {
  await writer.run(
    `lost as (
       delete from workshop_events e using mine where e.workshop_id = $1::bigint and e.version > $2::bigint
     ), people as (
       delete from workshop_attendees a using mine where a.workshop_id = $1::bigint
     ), messages as (
       delete from workshop_chat_messages m using mine where m.workshop_id = $1::bigint
     ), rooms as (
       delete from workshop_snapshots s using mine where s.workshop_id = $1::bigint and s.version > $2::bigint
     ), reset as (
       update workshops w set version = 0 from mine where w.id = $1::bigint
     )`,
    [workshopId, common],
  );
}

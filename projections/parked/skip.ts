/** Giving up the event at which a workshop is parked. */
import type { Database } from '../database/database.ts';
import type { ProjectedLog } from '../fold/source.ts';
import { note } from '../notes/notes.ts';
import { type Asking, takenUp } from './parked.ts';

export type SkipOutcome =
  /** `parked` tells whether a later event could not be folded either. */
  | { kind: 'skipped'; parked: boolean }
  | { kind: 'not-parked' }
  /** It is parked at another version than the one that was named. */
  | { kind: 'elsewhere'; version: number }
  /** The first event makes the workshop: without it there is nothing to fold the others into. */
  | { kind: 'first' };

export interface SkipRequest extends Asking {
  workshopId: number;
  /** Where the workshop is parked: nobody gives up an event without having looked at it. */
  version: number;
  by: string;
}

/**
 * Gives up the event at which a workshop is parked, and asks its projector to go on. Rejects with `unavailable` where no
 * projector answered in time; the event is given up all the same.
 */
export async function skipParked(
  database: Database,
  log: Pick<ProjectedLog, 'events' | 'notes'>,
  { workshopId, version, by, patienceMs, onAsked }: SkipRequest,
): Promise<SkipOutcome> {
  await database.ready;
  const [parked] = await database.query(
    'select version from projection_parked where workshop_id = $1::bigint',
    [workshopId],
  );
  if (parked === undefined) return { kind: 'not-parked' };
  if (Number(parked.version) !== version) return { kind: 'elsewhere', version: Number(parked.version) };
  if (version === 1) return { kind: 'first' };
  const written = await database.query(
    `with given_up as (
       insert into projection_skipped (workshop_id, version, event_id, reason, skipped_by, skipped_at)
       select workshop_id, version, $3::text, reason, $4::text, now() from projection_parked
       where workshop_id = $1::bigint and version = $2::bigint
       on conflict (workshop_id, version) do update set event_id = excluded.event_id, reason = excluded.reason,
         skipped_by = excluded.skipped_by, skipped_at = excluded.skipped_at
       returning workshop_id
     )
     update projection_parked p set retry_requested = true from given_up
     where p.workshop_id = given_up.workshop_id returning p.workshop_id`,
    [workshopId, version, await eventIdAt(database, log, workshopId, version), by],
  );
  // Someone else was quicker.
  if (written.length === 0) return { kind: 'not-parked' };
  await note({ database, log }, 'projection_skipped', { workshop_id: workshopId, version });
  onAsked?.();
  return { kind: 'skipped', parked: !(await takenUp(database, workshopId, patienceMs)) };
}

async function eventIdAt(
  database: Database,
  log: Pick<ProjectedLog, 'events'>,
  workshopId: number,
  version: number,
): Promise<string | null> {
  try {
    const [event] = await log.events.read(workshopId, version - 1, 1);
    if (event?.version === version) return event.eventId;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
  // The log has let go of the stream: it is folded from what Postgres keeps.
  const [stored] = await database.query(
    'select event_id from workshop_events where workshop_id = $1::bigint and version = $2::bigint',
    [workshopId, version],
  );
  return stored === undefined ? null : String(stored.event_id);
}

/**
 * Events that an operator gave up. The event stays in the log and its place in `workshop_events`; what it would have changed
 * is left out of the tables whenever they are folded, and what follows on it is folded as if it had changed nothing.
 */
import type { RecordedEvent } from '../src/domain/evolve.ts';
import type { Database } from './database.ts';
import type { ProjectedLog } from './feed.ts';
import { unreadableId } from './pages.ts';
import { type Asking, takenUp } from './parked.ts';

export interface Skip {
  /** Of the very event; null where the log's entry can't be parsed. */
  eventId: string | null;
  by: string;
}

/** The events of a workshop that were given up, by version. */
export type Skips = ReadonlyMap<number, Skip>;

export type SkipOutcome =
  /** `parked` tells whether a later event could not be folded either. */
  | { kind: 'skipped'; parked: boolean }
  | { kind: 'not-parked' }
  /** It is parked at another version than the one that was named. */
  | { kind: 'elsewhere'; version: number }
  /** The first event makes the workshop: without it there is nothing to fold the others into. */
  | { kind: 'first' };

export interface SkipWish extends Asking {
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
  log: Pick<ProjectedLog, 'read'>,
  { workshopId, version, by, patienceMs, onAsked }: SkipWish,
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
  onAsked?.();
  return { kind: 'skipped', parked: !(await takenUp(database, workshopId, patienceMs)) };
}

async function eventIdAt(
  database: Database,
  log: Pick<ProjectedLog, 'read'>,
  workshopId: number,
  version: number,
): Promise<string | null> {
  try {
    const [event] = await log.read(workshopId, version - 1, 1);
    if (event?.version === version) return event.eventId;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
  // The log has let go of the stream: it is folded from what Postgres keeps.
  const [kept] = await database.query(
    'select event_id from workshop_events where workshop_id = $1::bigint and version = $2::bigint',
    [workshopId, version],
  );
  return kept === undefined ? null : String(kept.event_id);
}

/** The skip that names this very event; for an entry that can't be parsed, give its version alone. */
export function skipOf(skips: Skips, event: Pick<RecordedEvent, 'version'> & { eventId?: string }) {
  const skip = skips.get(event.version);
  if (skip === undefined) return undefined;
  const { eventId = unreadableId(event.version) } = event;
  return (skip.eventId ?? unreadableId(event.version)) === eventId ? skip : undefined;
}

export async function skipsOf(database: Database, workshopId: number): Promise<Skips> {
  const rows = await database.query(
    'select version, event_id, skipped_by from projection_skipped where workshop_id = $1::bigint',
    [workshopId],
  );
  return new Map(
    rows.map((row) => [
      Number(row.version),
      { eventId: row.event_id === null ? null : String(row.event_id), by: String(row.skipped_by) },
    ]),
  );
}

/** Every workshop with an event that was given up, and the versions of these events. */
export async function allSkipped(database: Database): Promise<Map<number, number[]>> {
  const rows = await database.query('select workshop_id, version from projection_skipped', []);
  const all = new Map<number, number[]>();
  for (const row of rows) {
    const id = Number(row.workshop_id);
    all.set(id, [...(all.get(id) ?? []), Number(row.version)]);
  }
  return all;
}

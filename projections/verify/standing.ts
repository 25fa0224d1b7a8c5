/** How far the tables of a workshop are, and how far they should be. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { HeadWithPast } from '../../src/log/log.ts';
import { attendees } from '../attendees/schema.ts';
import { namedColumns } from '../database/columns.ts';
import type { Database, Row } from '../database/database.ts';
import type { ProjectedLog } from '../fold/source.ts';
import { workshops } from '../workshops/schema.ts';

/** What the tables say of a workshop at one moment. */
export interface Standing {
  workshop: Row | undefined;
  /** By user id; of the same version as `workshop`. */
  attendees: Row[];
  /** The highest version in `workshop_events`; 0 where it has none. */
  stored: number;
  /** Up to this version the tables can be compared. */
  version: number;
  /** Where the workshop is parked. */
  parked: { version: number; reason: string } | undefined;
}

export interface Source {
  /** null where the log has no stream of the workshop: what counts is then what `workshop_events` keeps. */
  head: HeadWithPast | null;
  standing: Standing;
  /** The version of the log that was waited for. */
  target: number;
}

export interface StandingParts {
  database: Database;
  log: ProjectedLog;
  signal: AbortSignal;
}

/** Milliseconds for which one may wait for projectors that do not go on; shared by all workshops of a verification. */
export interface Patience {
  left: number;
}

/**
 * Where log and tables stand, once the tables have reached the version at which the log was read, or the workshop is parked,
 * or patience is at its end.
 */
export async function settledSource(
  { database, log, signal }: StandingParts,
  workshopId: number,
  patience: Patience,
): Promise<Source> {
  const target = (await log.events.head(workshopId))?.version ?? 0;
  let folded = -1;
  for (let wait = 10; ; wait = Math.min(500, wait * 2)) {
    signal.throwIfAborted();
    const standing = await standingOf(database, workshopId);
    if (standing.version >= target || standing.parked !== undefined || patience.left <= 0) {
      // Only now, so that the log is as far as the tables unless it lost something.
      const head = await log.events.head(workshopId);
      return { head: head === null || head.version === 0 ? null : head, standing, target };
    }
    // A projector that goes on is waited for as long as it does.
    if (standing.version === folded) patience.left -= wait;
    folded = standing.version;
    await sleep(wait, undefined, { signal });
  }
}

export async function standingOf(database: Database, workshopId: number): Promise<Standing> {
  for (;;) {
    const [row = {}] = await database.query(
      `select ${namedColumns(workshops, 'w')},
         (select max(version) from workshop_events where workshop_id = $1::bigint) as stored
       from (values ($1::bigint)) asked (id) left join workshops w on w.id = asked.id`,
      [workshopId],
    );
    const people = await database.query(
      `select ${namedColumns(attendees, 'a')}, w.version as folded
       from workshop_attendees a left join workshops w on w.id = a.workshop_id
       where a.workshop_id = $1::bigint order by a.user_id`,
      [workshopId],
    );
    const { stored, ...columns } = row;
    // Between the two the projector may have gone on.
    if (people.some(({ folded }) => folded !== columns.version)) continue;
    const [parked] = await database.query(
      'select version, reason from projection_parked where workshop_id = $1::bigint',
      [workshopId],
    );
    return {
      workshop: columns.id === null ? undefined : columns,
      attendees: people.map(({ folded: _, ...person }) => person),
      stored: Number(stored ?? 0),
      version: Math.max(Number(stored ?? 0), Number(columns.version ?? 0)),
      parked: parked && { version: Number(parked.version), reason: String(parked.reason) },
    };
  }
}

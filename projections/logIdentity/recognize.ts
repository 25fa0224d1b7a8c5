/**
 * Whether a database holds the tables of this log. Two logs on one database – another one by mistake, or a copy beside the original –
 * would take each other's partitions, and put each other's workshops back.
 *
 * | the log has | the database knows | so                                                                                        |
 * | ----------- | ------------------ | ----------------------------------------------------------------------------------------- |
 * | none        | none               | the log gets one, and the database takes it                                               |
 * | A           | none               | the database takes A                                                                      |
 * | none        | A                  | an empty log is A's, which lost everything; so is one with its workshops; else a stranger |
 * | A           | B                  | a stranger                                                                                |
 * | A           | A                  | its own, unless another run of A is in use there: then one of the two is a copy           |
 *
 * A run is in use for as long as a process says so every few seconds. A process that saw its own log change its run – Redis was
 * restarted, another one took over – takes the database along at once; any other waits until the former run is given up.
 */
import { randomUUID } from 'node:crypto';
import type { EventLog, Identified } from '../../src/log/log.ts';
import { retrying } from '../../src/timing/retry.ts';
import { projectionName } from '../checkpoints/schema.ts';
import { type Database, type Row, sqlState } from '../database/database.ts';
import { arrayText } from '../database/encoding.ts';
import { DatabaseUnfit } from '../database/fitness.ts';

export type RecognizedLog = Pick<EventLog, 'identity' | 'partitions'> & {
  readonly streams: Pick<EventLog['streams'], 'ids'>;
  readonly events: Pick<EventLog['events'], 'read'>;
};

export interface Meeting {
  log: RecognizedLog;
  database: Pick<Database, 'query'>;
}

const adoption = "`npx workshop projections adopt` makes the database this one's";

/** The tables are another log's. */
export class StrangerLog extends DatabaseUnfit {
  override name = 'StrangerLog';
  constructor(own: string | null, known: string) {
    super(
      `the database belongs to another log (${known}) than this one (${own ?? 'which has no name yet'}): look at REDIS_URL and DATABASE_URL, or, if it is meant, ${adoption}`,
    );
  }
}

/** The tables are this log's, or those of one that it was copied from, and both are in use. */
export class CopiedLog extends DatabaseUnfit {
  override name = 'CopiedLog';
  constructor(identity: string, own: string, other: string) {
    super(
      `the database is in use by another copy of this log (${identity}: there in run ${other}, here ${own}): end what runs on that one, or, if it is meant, ${adoption}`,
    );
  }
}

/** How long a run counts as in use that is not heard of, in milliseconds. */
export const runLeaseMs = 6_000;

export interface Recognizing extends Meeting {
  /** Of this very process' log, the last time it was recognized. */
  formerRun: string | undefined;
  leaseMs?: number;
}

/**
 * Answers with the run of the log whose own the database is for now; says so there. Rejects with `StrangerLog`, `CopiedLog`, or where one of
 * the two is away.
 */
export async function recognize(recognizing: Recognizing): Promise<string> {
  const { log, database, formerRun, leaseMs = runLeaseMs } = recognizing;
  let found = await log.identity.read();
  let known = await renewed(database, found, { formerRun, leaseMs });
  if (found.identity === null) {
    // One that this process has recognized itself lost everything since.
    const own = formerRun === undefined ? undefined : known?.identity;
    const identity = own ?? (await nameOf({ log, database }, known));
    // An empty log beside one that is in use keeps no name of that one's.
    if (known?.identity === identity && known.run !== formerRun) requireSame({ ...found, identity }, known);
    found = await log.identity.claim(identity);
    known = await renewed(database, found, { formerRun, leaseMs });
  }
  known ??= await taken(database, found, leaseMs);
  requireSame(found, known);
  return found.run;
}

/**
 * For who only asks, and for a moment: nothing is written. A log or a database that has no name yet is nobody's. A run that ended a
 * moment ago counts as in use for as long as its lease lasts, which is waited for.
 */
export function requireOwn(meeting: Meeting): Promise<void> {
  return retrying(() => requireOwnNow(meeting), {
    isFinal: (error) => !(error instanceof CopiedLog),
    withinMs: 1.2 * runLeaseMs,
    pauses: { first: 500, most: 1_000 },
  });
}

async function requireOwnNow({ log, database }: Meeting): Promise<void> {
  const known = await knownBy(database).catch((error: unknown) => {
    // The migration that makes it is due, or who asks may read rows alone, as analysts may.
    if (['42P01', '42501'].includes(sqlState(error) ?? '')) return undefined;
    throw error;
  });
  if (known === undefined) return;
  const found = await log.identity.read();
  const identity = found.identity ?? (await nameOf({ log, database }, known));
  requireSame({ ...found, identity }, known);
}

function requireSame({ identity, run }: Identified, known: Known): void {
  if (identity !== known.identity) throw new StrangerLog(identity, known.identity);
  if (run !== known.run && known.isInUse) throw new CopiedLog(known.identity, run, known.run);
}

/** What the database knows of its log. */
export interface Known {
  identity: string;
  run: string;
  isInUse: boolean;
}

const columns = 'identity, run, coalesce(run_until > now(), false) as in_use';

export async function knownBy(database: Pick<Database, 'query'>): Promise<Known | undefined> {
  const [row] = await database.query(
    `select ${columns} from projection_log where projection = '${projectionName}'`,
    [],
  );
  return row && knownOf(row);
}

function knownOf(row: Row): Known {
  return { identity: String(row.identity), run: String(row.run), isInUse: row.in_use === true };
}

interface Renewing {
  formerRun: string | undefined;
  leaseMs: number;
}

/** Puts off until when the run is in use, where that is this one or has to be; answers with what the database knows then. */
async function renewed(
  database: Pick<Database, 'query'>,
  found: Identified,
  renewing: Renewing,
): Promise<Known | undefined> {
  const { identity, run } = found;
  const { formerRun = run, leaseMs } = renewing;
  const [row] = await database.query(
    `update projection_log set run = $2::text, run_until = now() + $4::bigint * interval '1 millisecond'
     where projection = '${projectionName}' and identity = $1::text
       and (run = any(array[$2::text, $3::text]) or coalesce(run_until < now(), true))
       and (run <> $2::text or coalesce(run_until < now() + $4::bigint * interval '0.5 milliseconds', true))
     returning ${columns}`,
    [identity ?? '', run, formerRun, leaseMs],
  );
  if (row !== undefined) return knownOf(row);
  const known = await knownBy(database);
  // The other run was given up between the two statements: it is this one's turn, which has to say so.
  const isFree = known !== undefined && known.identity === identity && known.run !== run && !known.isInUse;
  return isFree ? renewed(database, found, renewing) : known;
}

/** A database without a log takes the first that comes. */
async function taken(
  database: Pick<Database, 'query'>,
  { identity, run }: Identified,
  leaseMs: number,
): Promise<Known> {
  await database.query(
    `insert into projection_log (projection, identity, run, run_until, taken_at)
     values ('${projectionName}', $1::text, $2::text, now() + $3::bigint * interval '1 millisecond', now())
     on conflict do nothing`,
    [identity, run, leaseMs],
  );
  const known = await knownBy(database);
  if (known === undefined) throw new Error('projection_log lost its row');
  return known;
}

/** What a log without an identity is to be called: as the database knows it, where it is that one. */
async function nameOf(meeting: Meeting, known: Known | undefined): Promise<string> {
  if (known === undefined) return randomUUID();
  return (await isFamiliar(meeting)) ? known.identity : randomUUID();
}

/** Workshops of a partition that are looked at. */
const sample = 16;

/** Whether the log has no workshops, or some of those that the tables have: no two workshops begin with the same event. */
async function isFamiliar({ log, database }: Meeting): Promise<boolean> {
  let isEmpty = true;
  for (let partition = 0; partition < log.partitions; partition++) {
    const ids = (await log.streams.ids(partition)).slice(0, sample);
    if (ids.length === 0) continue;
    isEmpty = false;
    const rows = await database.query(
      `select workshop_id, event_id from workshop_events where version = 1 and workshop_id = any($1::text::bigint[])`,
      [arrayText(ids)],
    );
    for (const row of rows)
      if ((await firstEvent(log, Number(row.workshop_id))) === row.event_id) return true;
  }
  return isEmpty;
}

async function firstEvent({ events }: RecognizedLog, workshopId: number): Promise<string | undefined> {
  try {
    return (await events.read(workshopId, 0, 1))[0]?.eventId;
  } catch (error) {
    // It can't be parsed; others can.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

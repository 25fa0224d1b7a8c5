/** Workshops whose next event can't be folded: put aside with the reason, and taken up again when someone asks. */
import { CodedError } from '../../src/protocol/errors.ts';
import { until } from '../../src/timing/until.ts';
import type { FencedWriter } from '../checkpoints/fencedWriter.ts';
import { projectionName } from '../checkpoints/schema.ts';
import { type Database, sqlState } from '../database/database.ts';

/** Why a workshop's projection stopped, and where. */
export class Unfoldable extends Error {
  override name = 'Unfoldable';
  readonly version: number;
  constructor(version: number, cause: unknown) {
    super(reasonOf(cause), { cause });
    this.version = version;
  }
}

function reasonOf(error: unknown): string {
  let root = error;
  while (root instanceof Error && root.cause instanceof Error) root = root.cause;
  const state = sqlState(error);
  const text = root instanceof Error ? root.message : String(root);
  return `${state === undefined ? '' : `${state}: `}${text}`
    .replaceAll('\0', '')
    .toWellFormed()
    .slice(0, 500);
}

const retryPatienceMs = 30_000;

export interface Asking {
  /** How long a projector may take. */
  patienceMs?: number;
  /** Called once the request is written down. */
  onAsked?(): void;
}

/**
 * Asks the projector that has the workshop's partition to take it up again, wherever it runs. True once it is folded again,
 * false where it was not parked or is parked again; rejects where no projector answered within `patienceMs`. The request stays
 * then, for the next projector that has the partition.
 */
export async function retryParked(
  database: Database,
  workshopId: number,
  { patienceMs = retryPatienceMs, onAsked = () => {} }: Asking = {},
): Promise<boolean> {
  await database.ready;
  const asked = await database.query(
    'update projection_parked set retry_requested = true where workshop_id = $1::bigint returning workshop_id',
    [workshopId],
  );
  if (asked.length === 0) return false;
  onAsked();
  return takenUp(database, workshopId, patienceMs);
}

/** Waits until a request is answered. False where the workshop is parked again. */
export async function takenUp(
  database: Database,
  workshopId: number,
  patienceMs = retryPatienceMs,
): Promise<boolean> {
  let parkedAgain = false;
  const answered = await until(async () => {
    const rows = await database.query(
      'select retry_requested from projection_parked where workshop_id = $1::bigint',
      [workshopId],
    );
    parkedAgain = rows.length > 0;
    return rows[0]?.retry_requested !== true;
  }, patienceMs);
  if (!answered)
    throw new CodedError(
      'unavailable',
      `no projector took up workshop ${workshopId} in time; the next one will`,
    );
  return !parkedAgain;
}

/** Parked workshops of a partition, and whether another try was asked for. */
export async function parkedIn(database: Database, partition: number): Promise<Map<number, boolean>> {
  const rows = await database.query(
    'select workshop_id, retry_requested from projection_parked where partition = $1::integer',
    [partition],
  );
  return new Map(rows.map((row) => [Number(row.workshop_id), row.retry_requested === true]));
}

/** Puts a workshop aside: its projection waits from now on. Throws `Fenced`. */
export async function park(
  writer: Pick<FencedWriter, 'run'>,
  workshopId: number,
  { version, message }: Unfoldable,
  attempts: number,
): Promise<void> {
  await writer.run(
    `parking as (
       insert into projection_parked
         (workshop_id, projection, partition, version, reason, attempts, parked_at, retry_requested)
       select $1::bigint, '${projectionName}', partition, $2::bigint, $3::text, $4::integer, now(), false from mine
       on conflict (workshop_id) do update set version = excluded.version, reason = excluded.reason,
         attempts = projection_parked.attempts + excluded.attempts, parked_at = excluded.parked_at,
         retry_requested = false
     )`,
    [workshopId, version, message, attempts],
  );
}

/** Its projection goes on. */
export async function unpark(database: Database, partition: number, workshopId: number): Promise<void> {
  await database.query(
    'delete from projection_parked where workshop_id = $1::bigint and partition = $2::integer',
    [workshopId, partition],
  );
}

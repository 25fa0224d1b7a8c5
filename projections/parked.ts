/** Workshops whose next event can't be folded: put aside with the reason, and taken up again when someone asks. */
import { CodedError } from '../src/protocol/errors.ts';
import { type Database, sqlState } from './database.ts';
import { until } from './wait.ts';

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
  /** Called once the wish is written down. */
  onAsked?(): void;
}

/**
 * Asks the projector that has the workshop's partition to take it up again, wherever it runs. True once it is folded again,
 * false where it was not parked or is parked again; rejects where no projector answered within `patienceMs`. The wish stays
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

/** Waits for the answer to a wish. False where the workshop is parked again. */
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

/**
 * The slow and certain way to bring one workshop's tables up to the log: from the tables, against the log, page by page.
 * Taken wherever the feed is not enough: a gap, an event that was refused, a workshop that was parked, a log that lost
 * events. It may be repeated at any point.
 *
 * ```
 *   page by page ─────────────────► caught up
 *     ▲   │ an event can't be folded
 *     │   ▼
 *    one by one up to the event ──► parked, once the same has happened too often
 * ```
 */
import { backoffMs, pause, retrying } from '../../src/timing/retry.ts';
import { Fenced } from '../checkpoints/fencedWriter.ts';
import { park, Unfoldable, unpark } from '../parked/parked.ts';
import { type AdvanceOptions, advance } from './advance.ts';

export interface RepairOptions extends AdvanceOptions {
  partition: number;
  batchSize: number;
  signal: AbortSignal;
  onError(error: unknown): void;
  onParked(workshopId: number, unfoldable: Unfoldable): void;
}

export interface Repair {
  /** False where the workshop is parked now. Throws `Fenced`. */
  catchUp(workshopId: number): Promise<boolean>;
  /** Puts the workshop aside: its projection waits from now on. Throws `Fenced`. */
  park(workshopId: number, unfoldable: Unfoldable): Promise<void>;
}

/** An event that can't be folded is tried again this often. */
const retries = 3;

export function repair(options: RepairOptions): Repair {
  const { database, partition, batchSize, writer, signal, onError } = options;
  const advanceBy = (workshopId: number, page: number, most: number) =>
    retrying(() => advance(options, workshopId, { page, most }), { signal, onError, isFinal });

  async function catchUp(workshopId: number): Promise<boolean> {
    for (let failures = 0; ; ) {
      try {
        // One by one after a failure: what precedes the event is folded, and the event is known.
        if (failures > 0) await advanceBy(workshopId, 1, batchSize);
        failures = 0;
        await advanceBy(workshopId, batchSize, Number.POSITIVE_INFINITY);
        await retrying(() => unpark(database, partition, workshopId), { signal, onError });
        return true;
      } catch (error) {
        if (!(error instanceof Unfoldable)) throw error;
        failures++;
        if (failures > retries) {
          await putAside(workshopId, error, failures);
          return false;
        }
        await pause(backoffMs(failures), signal);
      }
    }
  }

  async function putAside(workshopId: number, unfoldable: Unfoldable, attempts: number): Promise<void> {
    await park(writer, workshopId, unfoldable, attempts);
    options.onParked(workshopId, unfoldable);
  }

  return { catchUp, park: (workshopId, unfoldable) => putAside(workshopId, unfoldable, 1) };
}

const isFinal = (error: unknown) => error instanceof Unfoldable || error instanceof Fenced;

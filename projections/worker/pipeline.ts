/**
 * Folding what the feed brings, batch by batch: the next one is folded while the last one commits.
 *
 * ```
 *   entries ──► fold in memory ──rows──► the last commit has settled? ──yes──► commit ──► next entries
 *                    ▲     │                        │ no: Postgres refused a row, so that each of its workshops was repaired
 *                    │     └─► what does not        │
 *                    │         follow: repair       │
 *                    └──────────────────────────────┘
 * ```
 */
import type { FeedEntry } from '../../src/log/log.ts';
import type { FencedWriter } from '../checkpoints/fencedWriter.ts';
import { isRefusal } from '../database/database.ts';
import { type Changes, noChanges } from '../fold/folding.ts';
import { type BatchOptions, batches, timeOf } from './batch.ts';

export interface Pipeline {
  /** When the oldest event was recorded that was read and not committed; null where there is none. */
  readonly waitingSince: number | null;
  /** Folds them and has them committed, with the cursor moved to `next` where it is given. One at a time. */
  follow(entries: readonly FeedEntry[], next: number | undefined): Promise<void>;
  /** Waits for the last commit: the tables are as far as the states then. */
  settled(): Promise<void>;
  /** The workshop's tables are written by someone else: its state is read from them when it is needed again. */
  forget(workshopId: number): void;
  forgetAll(): void;
}

export interface PipelineOptions extends Omit<BatchOptions, 'settled'> {
  writer: FencedWriter;
  /** Brings a workshop's tables up to the log, or parks it. Not while a commit is under way. */
  repair(workshopId: number): Promise<unknown>;
  /** A commit failed, for another reason than its rows. */
  onFailure(error: unknown): void;
}

/** `repaired`: it was refused, so that its workshops were repaired and all states are forgotten. */
type Settled = 'committed' | 'repaired';

export function pipeline({ writer, repair, onFailure, ...reading }: PipelineOptions): Pipeline {
  let waitingSince: number | null = null;
  let pending: Promise<Settled> = Promise.resolve('committed');

  /** Tells of a commit that was refused once. */
  async function settled(): Promise<Settled> {
    const outcome = await pending;
    pending = Promise.resolve('committed');
    return outcome;
  }

  // What is loaded after a commit that was refused is new: it need not be folded again.
  const states = batches({ ...reading, settled });

  async function commit(changes: Changes, next: number): Promise<Settled> {
    try {
      await writer.write(changes, next);
      return 'committed';
    } catch (error) {
      if (!isRefusal(error)) throw error;
    }
    // One of these workshops has a row that Postgres does not take.
    states.forgetAll();
    for (const { id } of changes.workshops) await repair(id);
    await writer.write(noChanges(), next);
    return 'repaired';
  }

  return {
    get waitingSince() {
      return waitingSince;
    },
    async follow(entries, next) {
      const since = timeOf(entries[0]) ?? null;
      waitingSince ??= since;
      let folded = await states.fold(entries);
      if ((await settled()) === 'repaired') folded = await states.fold(entries);
      for (const workshopId of folded.toRepair) await repair(workshopId);
      waitingSince = since;
      pending = commit(folded.changes, next ?? writer.position).then((outcome) => {
        waitingSince = null;
        return outcome;
      });
      // Whoever waits for it next sees the failure too; until then nobody does.
      pending.catch(onFailure);
    },
    async settled() {
      await settled();
    },
    forget: (workshopId) => states.forget(workshopId),
    forgetAll: () => states.forgetAll(),
  };
}

/** Writing the snapshots of one workshop, as far as its history goes. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { evolve, type RecordedEvent } from '../../src/domain/evolve.ts';
import { type ResumedRoom, snapshotText } from './room.ts';
import { type FoldedHistory, resumed, type Snapshots } from './snapshots.ts';

/** Events between two snapshots: folding so many takes about 10 ms, reading included. */
export const snapshotInterval = 2_000;

export interface Histories {
  /** Undefined where no event of the workshop is kept. */
  open(workshopId: number): Promise<FoldedHistory | undefined>;
}

export interface WritingSnapshots {
  histories: Histories;
  snapshots: Snapshots;
  interval?: number;
  signal?: AbortSignal;
}

/**
 * Writes those that a workshop lacks, from the last one on; it may be repeated and broken off at any point. Resolves with how
 * many it wrote: also where they were deleted meanwhile, so that what was folded is not kept. Rejects where the history or the
 * database is away.
 */
export async function writeSnapshots(workshopId: number, writing: WritingSnapshots): Promise<number> {
  const { histories, snapshots, interval = snapshotInterval, signal } = writing;
  // Before anything is read: what is read earlier than that must not be written.
  const run = await snapshots.begin(workshopId);
  const history = await histories.open(workshopId);
  if (history === undefined) return 0;
  const resuming = await resumed(snapshots, history, { version: history.version });
  let written = 0;
  for await (const page of history.pages(resuming.room.version)) {
    for (const event of page) {
      evolve(resuming.room, event);
      if (event.version % interval !== 0) continue;
      if (!(await snapshots.put(workshopId, run, snapshotOf(resuming, event)))) return written;
      written++;
    }
    await nextTurn();
    signal?.throwIfAborted();
  }
  await snapshots.dropOlder(workshopId);
  return written;
}

function snapshotOf(resuming: ResumedRoom, { version, eventId, at }: RecordedEvent) {
  return { version, eventId, at, room: snapshotText(resuming) };
}

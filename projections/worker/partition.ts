/**
 * Following one partition for as long as its lease is held.
 *
 * ```
 *   starting ────────────────────► following ───────────────────────► ended
 *      workshops that differ from     batches of the feed (pipeline),    the lease is another's,
 *      the log are repaired           what an operator asked for         or it was closed
 *                                     and, beside these, a rebuild
 * ```
 * One thing at a time is done to its tables (`turns`). What does not follow from the feed – a gap before an entry, another epoch,
 * an event that can't be folded – is left to `repair.ts` before the cursor moves past it.
 */
import { UnknownSchema } from '../../src/domain/upcast.ts';
import type { Tail, TailBatch } from '../../src/log/log.ts';
import { retrying } from '../../src/timing/retry.ts';
import type { ArchivedStreams } from '../archive/archives.ts';
import type { CommitQueue } from '../checkpoints/commitQueue.ts';
import { Fenced, type FencedWriter, fencedWriter } from '../checkpoints/fencedWriter.ts';
import type { Checkpoint } from '../checkpoints/leases.ts';
import type { Database } from '../database/database.ts';
import { type Erased, eraseIn } from '../erasing/erase.ts';
import type { OpenErasure } from '../erasing/request.ts';
import { type Changes, noChanges } from '../fold/folding.ts';
import { allSkipped } from '../fold/skips.ts';
import type { ProjectedLog } from '../fold/source.ts';
import { parkedIn, type Unfoldable } from '../parked/parked.ts';
import { rebuildPartition } from '../rebuild/rebuild.ts';
import { chunksOf } from './batch.ts';
import { differing } from './compare.ts';
import { putBackMissing } from './missing.ts';
import { type Pipeline, pipeline } from './pipeline.ts';
import { type Repair, repair } from './repair.ts';
import type { States } from './states.ts';
import { type Turns, turns } from './turns.ts';

/** Rooms do not wait for the tables; a little later the events of many rooms come and are written together. */
const lingerMs = 25;

export interface PartitionOptions {
  database: Database;
  log: ProjectedLog;
  commits: CommitQueue;
  /** Of this partition. */
  states: States;
  /** As it was when the lease was taken. */
  checkpoint: Checkpoint;
  /** Events to a commit, roughly. */
  batchSize: number;
  /** Rows that a rebuild writes at a time, roughly. */
  chunkRows: number;
  archives: ArchivedStreams;
  onCommitted(changes: Changes, ms: number): void;
  onParked(workshopId: number, unfoldable: Unfoldable): void;
  onDiverged(workshopId: number, version: number): void;
  onSkipped(workshopId: number, version: number, by: string): void;
  onErased(erasure: OpenErasure, erased: Erased): void;
  onError(error: unknown): void;
}

export interface FollowedPartition {
  readonly fence: number;
  readonly position: number;
  /** It can't go on, most likely because the lease is another's now. */
  readonly hasEnded: boolean;
  /** When the oldest event was recorded that was read and not committed; null where there is none. */
  readonly waitingSince: number | null;
  /** Takes up parked workshops again. */
  retry(workshopIds: readonly number[]): Promise<void>;
  /** Forgets a person in a workshop. */
  erase(erasure: OpenErasure): Promise<void>;
  /** Folds every workshop of the partition from its first event on, or goes on with that. */
  rebuild(): Promise<void>;
  /** Resolves when nothing of it is under way any more. */
  close(): Promise<void>;
}

export function followPartition(options: PartitionOptions): FollowedPartition {
  const following = newFollowing(options);
  const { ending, turns, writer, pipeline } = following;
  let tail: Tail | undefined;
  let rebuilding: Promise<void> | undefined;

  void turns.take(async () => {
    await start(following);
    ending.signal.throwIfAborted();
    tail = tailOf(following);
  });
  return {
    fence: options.checkpoint.fence,
    get position() {
      return writer.position;
    },
    get hasEnded() {
      return ending.signal.aborted;
    },
    get waitingSince() {
      return pipeline.waitingSince;
    },
    retry: (workshopIds) =>
      turns.take(async () => {
        await pipeline.settled();
        for (const workshopId of workshopIds) await following.catchUp(workshopId);
      }),
    erase: (erasure) => turns.take(() => erase(following, erasure)),
    rebuild() {
      rebuilding = rebuild(following);
      return rebuilding;
    },
    async close() {
      ending.abort(new Error('the projector is closing'));
      await tail?.close();
      await turns.last;
      await rebuilding;
      await pipeline.settled().catch(() => undefined);
      // Whoever has the partition next writes to the tables.
      options.states.clear();
    },
  };
}

/** What a partition is followed with. */
interface Following {
  readonly options: PartitionOptions;
  readonly ending: AbortController;
  readonly turns: Turns;
  readonly writer: FencedWriter;
  readonly pipeline: Pipeline;
  readonly repairs: Repair;
  /** Workshops that wait: their entries are passed over. */
  readonly parked: Set<number>;
  /** Events that were given up before it was started: workshop → versions. */
  skipped: ReadonlyMap<number, readonly number[]>;
  /** Brings a workshop's tables up to the log. False where it is parked now. Throws `Fenced`. */
  catchUp(workshopId: number): Promise<boolean>;
}

function newFollowing(options: PartitionOptions): Following {
  const { database, log, commits, states, checkpoint, batchSize, archives, onError } = options;
  const ending = new AbortController();
  const { signal } = ending;
  const parked = new Set<number>();

  function end(error: unknown): void {
    if (signal.aborted) return;
    ending.abort(error);
    if (!(error instanceof Fenced)) onError(error);
  }

  async function catchUp(workshopId: number): Promise<boolean> {
    following.pipeline.forget(workshopId);
    const isCaughtUp = await repairs.catchUp(workshopId);
    if (isCaughtUp) parked.delete(workshopId);
    return isCaughtUp;
  }

  const { onCommitted, onDiverged, onSkipped } = options;
  const writer = fencedWriter({ database, commits, checkpoint, signal, onCommitted, onError });
  const repairs = repair({
    ...{ database, log, partition: checkpoint.partition, batchSize, archives, writer, signal, onError },
    ...{ onDiverged, onSkipped },
    onParked(workshopId, unfoldable) {
      parked.add(workshopId);
      options.onParked(workshopId, unfoldable);
    },
  });
  const following: Following = {
    ...{ options, ending, writer, repairs, parked, catchUp, skipped: new Map() },
    turns: turns(signal, end),
    pipeline: pipeline({
      ...{ database, states, parked, writer, signal, onError, repair: catchUp, onFailure: end },
      skipped: () => following.skipped,
    }),
  };
  return following;
}

async function start(following: Following): Promise<void> {
  const { options, ending, parked } = following;
  const { database, checkpoint, onError } = options;
  const load = async () => {
    for (const id of (await parkedIn(database, checkpoint.partition)).keys()) parked.add(id);
    following.skipped = await allSkipped(database);
  };
  await retrying(load, { signal: ending.signal, onError });
  await compare(following, { deep: false });
}

function tailOf(following: Following): Tail {
  const { options, turns, writer } = following;
  const { log, checkpoint, batchSize, onError } = options;
  return log.feed.tail({
    lingerMs,
    from: new Map([[checkpoint.partition, writer.position]]),
    limit: batchSize,
    onBatch: (batch) => turns.take(() => follow(following, batch)),
    onError,
  });
}

async function follow(following: Following, batch: TailBatch): Promise<void> {
  const { options, writer, pipeline } = following;
  if (batch.gap) {
    await pipeline.settled();
    await compare(following, { deep: true });
    await writer.write(noChanges(), batch.cursor);
    return;
  }
  const chunks = chunksOf(batch.entries, options.batchSize);
  for (const [index, entries] of chunks.entries())
    await pipeline.follow(entries, index === chunks.length - 1 ? batch.cursor : undefined);
}

/** Brings every workshop that differs from the log up to it; where `deep`, events are compared, not only their number. */
async function compare(following: Following, { deep }: { deep: boolean }): Promise<void> {
  const { options, ending, pipeline, parked } = following;
  const { database, log, checkpoint, onError } = options;
  const { partition } = checkpoint;
  const trying = { signal: ending.signal, onError };
  pipeline.forgetAll();
  const putBack = await putBackMissing({ database, log, partition, ...trying });
  const different = await retrying(() => differing(database, log, partition, deep), trying);
  // What was put back has another epoch now, which the tables are to know.
  for (const workshopId of new Set([...putBack, ...different]))
    if (!parked.has(workshopId)) await following.catchUp(workshopId);
}

async function erase(following: Following, erasure: OpenErasure): Promise<void> {
  const { options, ending, writer, pipeline, catchUp } = following;
  const { database, log, checkpoint, onError } = options;
  await pipeline.settled();
  pipeline.forget(erasure.workshopId);
  const erasing = { database, log, checkpoint, writer, catchUp, signal: ending.signal, onError };
  try {
    options.onErased(erasure, await eraseIn(erasing, erasure));
  } catch (error) {
    if (!(error instanceof UnknownSchema)) throw error;
    // It stays asked for, until a newer projector has the partition.
    onError(error);
  }
}

/** Where it fails it goes on from where it was at the next beat, since what was asked for is written down. */
async function rebuild({ options, ending, ...following }: Following): Promise<void> {
  const { database, log, checkpoint, chunkRows, onError } = options;
  const { turns, writer, pipeline, repairs, catchUp } = following;
  const { signal } = ending;
  try {
    await rebuildPartition({
      ...{ database, log, checkpoint, writer, chunkRows, catchUp, park: repairs.park, signal, onError },
      exclusively: (work) =>
        turns.answer(async () => {
          await pipeline.settled();
          return work();
        }),
      forgetAll: () => pipeline.forgetAll(),
    });
  } catch (error) {
    if (error instanceof Fenced) ending.abort(error);
    else if (!signal.aborted) onError(error);
  }
}

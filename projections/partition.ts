/**
 * Folding one partition for as long as its lease is held.
 *
 * ```
 *   tail ──batch──► fold in memory ──rows──► commit ──► next batch
 *                      ▲     │ odd              │ refused
 *                      │     ▼                  ▼
 *                      └── repair, workshop by workshop
 * ```
 * The next batch is read and folded while the last one commits. Whatever is odd about a workshop – a gap before its entry,
 * another epoch, an event that can't be folded – is left to `repair.ts` before the cursor moves past it.
 */
import type { FeedEntry, Tail, TailBatch } from '../src/log/log.ts';
import { rebuildPartition } from './anew/rebuild.ts';
import { batches } from './batch.ts';
import type { Checkpoint } from './checkpoint.ts';
import { differing } from './compare.ts';
import { type Database, isRefusal } from './database.ts';
import { type Erased, eraseIn } from './erasing/erase.ts';
import type { OpenErasure } from './erasing/request.ts';
import { type Archives, chunksOf, type ProjectedLog, timeOf } from './feed.ts';
import { Fenced, fencing } from './fencing.ts';
import { type Changes, noChanges } from './fold.ts';
import type { Place } from './leases.ts';
import { putBackMissing } from './missing.ts';
import { parkedIn, type Unfoldable } from './parked.ts';
import { repair } from './repair.ts';
import { retrying } from './retry.ts';
import { allSkipped } from './skipped.ts';

/** Rooms do not wait for the tables; a little later the events of many rooms come and are written together. */
const lingerMs = 25;

export interface PartitionOptions {
  database: Database;
  log: ProjectedLog;
  checkpoint: Checkpoint;
  place: Place;
  /** Events to a commit, roughly. */
  batchSize: number;
  /** Rows that a rebuild writes at a time, roughly. */
  chunkRows: number;
  archives: Archives;
  onCommitted(changes: Changes, ms: number): void;
  onParked(workshopId: number, unfoldable: Unfoldable): void;
  onDiverged(workshopId: number, version: number): void;
  onSkipped(workshopId: number, version: number, by: string): void;
  onErased(wish: OpenErasure, erased: Erased): void;
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
  erase(wish: OpenErasure): Promise<void>;
  /** Folds every workshop of the partition anew, or goes on with that. */
  rebuild(): Promise<void>;
  /** Resolves when nothing of it is under way any more. */
  close(): Promise<void>;
}

export function followPartition(options: PartitionOptions): FollowedPartition {
  const { database, log, checkpoint, place, batchSize, onError } = options;
  const { partition, fence } = place;
  const closing = new AbortController();
  const { signal } = closing;
  const parked = new Set<number>();
  let skipped: ReadonlyMap<number, readonly number[]> = new Map();
  let waitingSince: number | null = null;
  /** Resolves to false where the commit was refused, so that all states were dropped. */
  let pending: Promise<boolean> = Promise.resolve(true);
  let turn: Promise<unknown> = Promise.resolve();
  let rebuilding: Promise<void> | undefined;
  let tail: Tail | undefined;

  const { onCommitted } = options;
  const own = fencing({ database, checkpoint, place, signal, onCommitted, onError });
  const states = batches({
    ...{ database, parked, signal, onError },
    skipped: () => skipped,
    async settled() {
      if (!(await pending)) pending = Promise.resolve(true);
    },
  });
  const repairs = repair({
    ...{ database, log, partition, batchSize, own, signal, onError },
    archives: options.archives,
    onDiverged: options.onDiverged,
    onSkipped: options.onSkipped,
    onParked(workshopId, unfoldable) {
      parked.add(workshopId);
      options.onParked(workshopId, unfoldable);
    },
  });

  /** Runs one thing at a time, and ends everything where it can't go on. */
  function inTurn(run: () => Promise<void>): Promise<void> {
    const ran = turn.then(async () => {
      if (!signal.aborted) await run();
    });
    turn = ran.catch(end);
    return turn.then(() => undefined);
  }

  function end(error: unknown): void {
    if (signal.aborted) return;
    closing.abort(error);
    if (!(error instanceof Fenced)) onError(error);
  }

  async function begin(): Promise<void> {
    await retrying(
      async () => {
        for (const id of (await parkedIn(database, partition)).keys()) parked.add(id);
        skipped = await allSkipped(database);
      },
      { signal, onError },
    );
    await compare({ deep: false });
    tail = log.tail({
      lingerMs,
      from: new Map([[partition, own.position]]),
      limit: batchSize,
      onBatch: (batch) => inTurn(() => take(batch)),
      onError,
    });
  }

  async function take(batch: TailBatch): Promise<void> {
    if (batch.gap) {
      await settled();
      await compare({ deep: true });
      await own.write(noChanges(), batch.cursor);
      return;
    }
    const chunks = chunksOf(batch.entries, batchSize);
    for (const [index, entries] of chunks.entries())
      await takeChunk(entries, index === chunks.length - 1 ? batch.cursor : undefined);
  }

  async function takeChunk(entries: FeedEntry[], next: number | undefined): Promise<void> {
    waitingSince ??= timeOf(entries[0]) ?? null;
    let folded = await states.fold(entries);
    if (!(await settled())) folded = await states.fold(entries);
    for (const workshopId of folded.odd) await catchUp(workshopId);
    const { changes } = folded;
    waitingSince = timeOf(entries[0]) ?? null;
    pending = commit(changes, next ?? own.position);
    // Whoever waits for it next sees the failure too; until then nobody does.
    pending.catch(end);
  }

  async function commit(changes: Changes, next: number): Promise<boolean> {
    try {
      await own.write(changes, next);
      waitingSince = null;
      return true;
    } catch (error) {
      if (!isRefusal(error)) throw error;
    }
    // One of these workshops has a row that Postgres does not take.
    states.forgetAll();
    for (const { id } of changes.workshops) await catchUp(id);
    await own.write(noChanges(), next);
    waitingSince = null;
    return false;
  }

  /** Waits for the last commit. False where it dropped the states. */
  async function settled(): Promise<boolean> {
    const clean = await pending;
    pending = Promise.resolve(true);
    return clean;
  }

  async function catchUp(workshopId: number): Promise<boolean> {
    states.forget(workshopId);
    const folded = await repairs.catchUp(workshopId);
    if (folded) parked.delete(workshopId);
    return folded;
  }

  /** Brings every workshop that differs from the log up to it; where `deep`, events are compared, not only their number. */
  async function compare({ deep }: { deep: boolean }): Promise<void> {
    states.forgetAll();
    const putBack = await putBackMissing({ database, log, partition, signal, onError });
    const different = await retrying(() => differing(database, log, partition, deep), { signal, onError });
    // What was put back has another epoch now, which the tables are to know.
    for (const workshopId of new Set([...putBack, ...different]))
      if (!parked.has(workshopId)) await catchUp(workshopId);
  }

  /** Runs while the tables of the partition stand still. Rejects where it can't go on, which ends everything. */
  async function alone<T>(run: () => Promise<T>): Promise<T> {
    let done: { value: T } | undefined;
    await inTurn(async () => {
      await settled();
      done = { value: await run() };
    });
    if (done !== undefined) return done.value;
    throw signal.reason ?? new Error('it came to an end');
  }

  /** Where it fails it is taken up again at the place where it was, since what was asked for is written down. */
  async function rebuild(): Promise<void> {
    const { park } = repairs;
    rebuilding = rebuildPartition({
      ...{ database, log, partition, fence, own, alone, catchUp, park, signal, onError },
      chunkRows: options.chunkRows,
      forgetAll: () => states.forgetAll(),
    }).catch((error: unknown) => {
      if (error instanceof Fenced) end(error);
      else if (!signal.aborted) onError(error);
    });
    await rebuilding;
  }

  void inTurn(begin);
  return {
    fence,
    get position() {
      return own.position;
    },
    get hasEnded() {
      return signal.aborted;
    },
    get waitingSince() {
      return waitingSince;
    },
    retry: (workshopIds) =>
      inTurn(async () => {
        await settled();
        for (const workshopId of workshopIds) await catchUp(workshopId);
      }),
    erase: (wish) =>
      inTurn(async () => {
        await settled();
        states.forget(wish.workshopId);
        const erased = await eraseIn({ database, log, place, own, catchUp, signal, onError }, wish);
        options.onErased(wish, erased);
      }),
    rebuild,
    async close() {
      closing.abort(new Error('the projector is closing'));
      await tail?.close();
      await turn;
      await rebuilding;
      await pending.catch(() => undefined);
    },
  };
}

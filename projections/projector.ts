/**
 * The projector: folds the log into the tables, as many partitions as are its share. Any number of them may run, on any
 * nodes; each commit is exactly once in effect, since rows and place are written by one statement under a fencing number.
 * It never gives up: a database or a log that is away is tried again.
 */
import { randomUUID } from 'node:crypto';
import { arrayText } from './arrayText.ts';
import { checkpoint } from './checkpoint.ts';
import type { Database } from './database.ts';
import { openErasures } from './erasing/request.ts';
import type { Archives, ProjectedLog } from './feed.ts';
import { type Holding, leases } from './leases.ts';
import { retryParked } from './parked.ts';
import { type FollowedPartition, followPartition } from './partition.ts';
import { pause } from './retry.ts';
import { keepSnapshots } from './snapshots/keeping.ts';
import type { Histories } from './snapshots/write.ts';

export type ProjectorEvent =
  /** `ms` is how long the statement took that wrote the batch, perhaps with batches of other partitions. */
  | { type: 'committed'; partition: number; events: number; ms: number }
  | { type: 'parked'; workshopId: number; version: number; reason: string }
  /** The log lost what it had after `version`; the tables follow it, `workshop_events_lost` has the rest. */
  | { type: 'diverged'; workshopId: number; version: number }
  /** An event that an operator gave up is left out. */
  | { type: 'skipped'; workshopId: number; version: number; by: string }
  /** A person was forgotten in a workshop. */
  | { type: 'erased'; workshopId: number; userId: number; events: number; messages: number }
  | { type: 'partitions'; held: number[] }
  /** It is tried again. */
  | { type: 'error'; error: unknown };

export interface ProjectorOptions {
  log: ProjectedLog;
  database: Database;
  /** The node's name; two projectors may have the same. */
  node: string;
  /** Where snapshots of rooms are folded from; none are written where it is left out. */
  histories?: Histories;
  /** Whether the log lets go of what is archived; it does not, if left out. */
  archives?: Archives;
  onEvent?(event: ProjectorEvent): void;
  /** Events to a commit, roughly. */
  batchSize?: number;
  /** Rows that a rebuild writes at a time, roughly: COPY is slow with few. */
  chunkRows?: number;
  /** How long a partition stays with a projector that is not heard of. */
  leaseMs?: number;
  signal?: AbortSignal;
}

export interface Projector {
  /** Milliseconds since the oldest event was recorded that was read and is not in the tables; 0 where there is none. */
  lag(): number;
  /** Cursor in the feed of each partition that this projector has. */
  readonly positions: ReadonlyMap<number, number>;
  /** Fencing number of each of them. */
  readonly fences: ReadonlyMap<number, number>;
  /** As `retryParked` of `parked.ts`, without waiting for the next beat. */
  retryParked(workshopId: number): Promise<boolean>;
  /** Ends it; others take its partitions over at once. */
  close(): Promise<void>;
}

export function projector(options: ProjectorOptions): Projector {
  const { log, database, node, archives = 'kept' } = options;
  const { batchSize = 1_000, chunkRows = 20_000, leaseMs = 6_000 } = options;
  const emit = (event: ProjectorEvent) => options.onEvent?.(event);
  const onError = (error: unknown) => emit({ type: 'error', error });
  const closing = new AbortController();
  const { signal } = closing;
  const beatMs = leaseMs / 3;
  const owner = `${node}:${randomUUID()}`;
  const lease = leases(database, { owner, partitions: log.partitions, leaseMs });
  const commits = checkpoint({ database, batchSize, signal, onError });
  const followed = new Map<number, FollowedPartition>();
  const { histories } = options;
  const rooms = histories && keepSnapshots({ database, histories, onError });
  let woken = new AbortController();
  let opened = false;

  const running = run();
  options.signal?.addEventListener('abort', () => void close(), { once: true });

  async function run(): Promise<void> {
    const ending = new Promise<void>((resolve) =>
      signal.addEventListener('abort', () => resolve(), { once: true }),
    );
    // One that never opens must not keep the process from ending.
    const open = async () => {
      await database.ready;
      opened = true;
    };
    await Promise.race([open().catch(onError), ending]);
    while (!signal.aborted) {
      woken = new AbortController();
      try {
        await beat();
      } catch (error) {
        onError(error);
      }
      // Either it is time, or someone woke it.
      await pause(beatMs, AbortSignal.any([signal, woken.signal])).catch(() => undefined);
    }
  }

  async function beat(): Promise<void> {
    await leave([...followed].filter(([, each]) => each.hasEnded).map(([partition]) => partition));
    const { held, surplus } = await lease.beat();
    if (signal.aborted) return;
    await leave(
      [...followed].filter(([partition, { fence }]) => held.get(partition)?.fence !== fence).map(([p]) => p),
    );
    const given = surplus > 0 ? [...held.keys()].slice(-surplus) : [];
    await leave(given);
    if (given.length > 0) await lease.release(given);
    for (const partition of given) held.delete(partition);
    let changed = given.length > 0;
    for (const holding of held.values()) {
      if (followed.has(holding.partition)) continue;
      followed.set(holding.partition, follow(holding));
      changed = true;
    }
    if (changed) {
      emit({ type: 'partitions', held: [...held.keys()] });
      rooms?.survey((workshopId) => held.has(log.partitionOf(workshopId)));
    }
    await takeUpWishes(held);
  }

  async function leave(partitions: readonly number[]): Promise<void> {
    await Promise.all(partitions.map((partition) => followed.get(partition)?.close()));
    for (const partition of partitions) followed.delete(partition);
  }

  function follow(place: Holding): FollowedPartition {
    const { partition } = place;
    return followPartition({
      ...{ database, log, checkpoint: commits, place, archives, batchSize, chunkRows, onError },
      onCommitted(changes, ms) {
        emit({ type: 'committed', partition, events: changes.events.length, ms });
        for (const { id, version } of changes.workshops) rooms?.reached(id, version);
      },
      onParked: (workshopId, { version, message }) =>
        emit({ type: 'parked', workshopId, version, reason: message }),
      onDiverged: (workshopId, version) => emit({ type: 'diverged', workshopId, version }),
      onSkipped: (workshopId, version, by) => emit({ type: 'skipped', workshopId, version, by }),
      onErased: ({ workshopId, userId }, erased) => emit({ type: 'erased', workshopId, userId, ...erased }),
    });
  }

  /** What was asked for on any node: parked workshops to be tried again, people to be forgotten, partitions to be folded anew. */
  async function takeUpWishes(held: ReadonlyMap<number, Holding>): Promise<void> {
    // Not waited for: it takes its time, and the leases are to be renewed meanwhile.
    for (const { partition, rebuildRequested } of held.values())
      if (rebuildRequested)
        once(`rebuild ${partition}`, () => inTurn(() => followed.get(partition)?.rebuild()));
    const rows = await database.query(
      `select workshop_id, partition from projection_parked
       where retry_requested and partition = any($1::text::integer[])`,
      [arrayText([...held.keys()])],
    );
    for (const row of rows) {
      const [workshopId, partition] = [Number(row.workshop_id), Number(row.partition)];
      once(`retry ${workshopId}`, () => followed.get(partition)?.retry([workshopId]));
    }
    for (const wish of await openErasures(database, [...held.keys()]))
      once(`erase ${wish.userId} ${wish.workshopId}`, () => followed.get(wish.partition)?.erase(wish));
  }

  /** One partition is folded anew at a time: the others' rooms are not to wait for it. */
  let turn: Promise<unknown> = Promise.resolve();
  function inTurn(run: () => Promise<void> | undefined): Promise<void> {
    const ran = turn.then(run);
    turn = ran;
    return ran.then(() => undefined);
  }

  const underWay = new Set<string>();
  function once(what: string, run: () => Promise<void> | undefined): void {
    if (underWay.has(what)) return;
    underWay.add(what);
    void Promise.resolve(run()).finally(() => underWay.delete(what));
  }

  let closed: Promise<void> | undefined;
  function close(): Promise<void> {
    closed ??= end();
    return closed;
  }

  async function end(): Promise<void> {
    closing.abort(new Error('the projector is closing'));
    await leave([...followed.keys()]);
    await running;
    await leave([...followed.keys()]);
    await rooms?.close();
    // A database that is away finds out by itself, when the lease runs out.
    if (opened) await lease.close().catch(onError);
  }

  return {
    lag() {
      const since = [...followed.values()].flatMap(({ waitingSince }) => waitingSince ?? []);
      return since.length === 0 ? 0 : Math.max(0, log.now() - Math.min(...since));
    },
    get positions() {
      return new Map([...followed].map(([partition, { position }]) => [partition, position]));
    },
    get fences() {
      return new Map([...followed].map(([partition, { fence }]) => [partition, fence]));
    },
    retryParked: (workshopId) => retryParked(database, workshopId, { onAsked: () => woken.abort() }),
    close,
  };
}

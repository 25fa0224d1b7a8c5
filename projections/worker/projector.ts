/**
 * The projector: folds the log into the tables, as many partitions as are its share. Any number of them may run, on any
 * nodes; each commit is exactly once in effect, since rows and checkpoint are written by one statement under a fencing number.
 * It never gives up: a database or a log that is away is tried again.
 *
 * ```
 *   opening ──► sharing ──► closed
 *                 each beat, a third of a lease: leases renewed, taken and given up (share); what was asked for taken up (requests)
 *                 all the while: each partition is followed (partition)
 * ```
 */
import { randomUUID } from 'node:crypto';
import { pause } from '../../src/timing/retry.ts';
import type { ArchivedStreams } from '../archive/archives.ts';
import { commitQueue } from '../checkpoints/commitQueue.ts';
import { type Lease, leases } from '../checkpoints/leases.ts';
import type { Database } from '../database/database.ts';
import type { ProjectedLog } from '../fold/source.ts';
import { retryParked } from '../parked/parked.ts';
import { type KeptSnapshots, keepSnapshots } from '../snapshots/keepSnapshots.ts';
import type { Histories } from '../snapshots/write.ts';
import { type FollowedPartition, followPartition } from './partition.ts';
import { requests } from './requests.ts';
import { share } from './share.ts';
import { keptStates } from './states.ts';

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
  archives?: ArchivedStreams;
  onEvent?(event: ProjectorEvent): void;
  /** Events to a commit, roughly. */
  batchSize?: number;
  /** Rows that a rebuild writes at a time, roughly: COPY is slow with few. */
  chunkRows?: number;
  /** What the states of workshops may weigh between batches, in bytes; a share of the heap if left out. */
  stateBytes?: number;
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
  const { log, database, node, histories, leaseMs = 6_000 } = options;
  const emit = (event: ProjectorEvent) => options.onEvent?.(event);
  const onError = (error: unknown) => emit({ type: 'error', error });
  const closing = new AbortController();
  const { signal } = closing;
  const lease = leases(database, { owner: `${node}:${randomUUID()}`, partitions: log.partitions, leaseMs });
  const rooms = histories && keepSnapshots({ database, histories, onError });
  const partitions = share(lease, follower({ ...options, rooms, emit, signal }), signal);
  const asked = requests(database, partitions.followed);
  let state: 'opening' | 'sharing' | 'closed' = 'opening';
  let woken = new AbortController();

  async function run(): Promise<void> {
    // One that never opens must not keep the process from ending.
    await Promise.race([open().catch(onError), aborted(signal)]);
    while (!signal.aborted) {
      woken = new AbortController();
      await beat().catch(onError);
      // Either it is time, or someone woke it.
      await pause(leaseMs / 3, AbortSignal.any([signal, woken.signal])).catch(() => undefined);
    }
  }

  async function open(): Promise<void> {
    await database.ready;
    state = 'sharing';
  }

  async function beat(): Promise<void> {
    const { held, hasChanged } = await partitions.beat();
    if (signal.aborted) return;
    if (hasChanged) {
      emit({ type: 'partitions', held: [...held.keys()] });
      rooms?.survey((workshopId) => held.has(log.partitionOf(workshopId)));
    }
    await asked.takeUp(held);
  }

  async function end(): Promise<void> {
    closing.abort(new Error('the projector is closing'));
    await partitions.leaveAll();
    await running;
    await partitions.leaveAll();
    await rooms?.close();
    // A database that is away finds out by itself, when the lease runs out.
    if (state === 'sharing') await lease.close().catch(onError);
    state = 'closed';
  }

  let ended: Promise<void> | undefined;
  function close(): Promise<void> {
    ended ??= end();
    return ended;
  }

  const running = run();
  options.signal?.addEventListener('abort', () => void close(), { once: true });
  return {
    lag() {
      const since = [...partitions.followed.values()].flatMap(({ waitingSince }) => waitingSince ?? []);
      return since.length === 0 ? 0 : Math.max(0, log.now() - Math.min(...since));
    },
    get positions() {
      return new Map([...partitions.followed].map(([partition, { position }]) => [partition, position]));
    },
    get fences() {
      return new Map([...partitions.followed].map(([partition, { fence }]) => [partition, fence]));
    },
    retryParked: (workshopId) => retryParked(database, workshopId, { onAsked: () => woken.abort() }),
    close,
  };
}

interface FollowerOptions extends ProjectorOptions {
  rooms: KeptSnapshots | undefined;
  emit(event: ProjectorEvent): void;
  signal: AbortSignal;
}

/** Follows partitions, and tells what becomes of them. They share statements. */
function follower({ rooms, emit, signal, ...options }: FollowerOptions): (lease: Lease) => FollowedPartition {
  const { log, database, archives = 'kept', batchSize = 1_000, chunkRows = 20_000, stateBytes } = options;
  const onError = (error: unknown) => emit({ type: 'error', error });
  const commits = commitQueue({ database, batchSize, signal, onError });
  const states = keptStates(stateBytes);
  return (lease) =>
    followPartition({
      states: states.of(lease.partition),
      ...{ database, log, commits, checkpoint: lease, archives, batchSize, chunkRows, onError },
      onCommitted(changes, ms) {
        emit({ type: 'committed', partition: lease.partition, events: changes.events.length, ms });
        for (const { id, version } of changes.workshops) rooms?.reached(id, version);
      },
      onParked: (workshopId, { version, message }) =>
        emit({ type: 'parked', workshopId, version, reason: message }),
      onDiverged: (workshopId, version) => emit({ type: 'diverged', workshopId, version }),
      onSkipped: (workshopId, version, by) => emit({ type: 'skipped', workshopId, version, by }),
      onErased: ({ workshopId, userId }, erased) => emit({ type: 'erased', workshopId, userId, ...erased }),
    });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

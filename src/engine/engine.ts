/**
 * Handling commands: validated outside, decided on a room that is kept fresh, appended in one step.
 * The engine neither knows sockets nor broadcasts: what clients see comes from the tail of the log alone.
 */
import { commandOf } from '../domain/catalog.ts';
import type { Room } from '../domain/room.ts';
import type { EventLog, FeedEntry } from '../log/log.ts';
import { letsIn } from '../presence/holds.ts';
import { CodedError, wireError } from '../protocol/errors.ts';
import { type CommandQueue, type EngineObserver, workThrough } from './commandQueue.ts';
import { type Archive, freshness } from './freshness.ts';
import { type CommandRequest, type Outcome, type Pending, reused } from './pending.ts';
import { type CachedRoom, engineRooms } from './rooms.ts';

export interface Engine {
  /**
   * Commands to one workshop take effect in the order in which they were handed in. Never rejects: a refusal and a fault
   * are both outcomes.
   */
  handle(request: CommandRequest): Promise<Outcome>;
  /**
   * What became of a command that cannot even be parsed any more: `conflict` where its id was used for something else.
   * Undefined where the id is unknown.
   */
  recall(workshopId: number, by: number, commandId: string): Promise<Outcome | undefined>;
  /**
   * The room as it is now: it holds everything that was acknowledged before the call, on any node. Undefined where the
   * log has no such workshop. Belongs to the engine: read it at once, do not keep or change it.
   */
  room(workshopId: number): Promise<{ room: Readonly<Room>; epoch: string } | undefined>;
  /** Events read back from the log: spares a busy room on several nodes most of its conflicts. */
  follow(entry: FeedEntry): void;
  /** What the rooms of a partition were folded from may not be in the log any more: they are read again. */
  invalidate(partition: number): void;
  /** Finishes what is under way. */
  close(): Promise<void>;
}

export interface EngineOptions {
  log: EventLog;
  /** Name of this node among those that hold presence; new at each start. */
  node: string;
  /** Where workshops are read whose stream is gone; without it the log has to have them all. */
  archive?: Archive;
  observer?: EngineObserver;
  /** What rooms may weigh that nobody uses, in bytes; a share of the heap if left out. */
  roomBytes?: number;
}

export type { Archive, CommandRequest, EngineObserver, Outcome };

/** How long a command may take before it is answered `conflict` or `unavailable`, in milliseconds. */
export const commandTimeoutMs = 2_000;
/** How many commands of one workshop may wait. */
const maxWaiting = 10_000;

export function workshopEngine({ log, node, archive, observer = {}, roomBytes }: EngineOptions): Engine {
  const failed = (error: unknown) => observer.notKept?.(error);
  const rooms = engineRooms({ log, failed, ...(roomBytes !== undefined && { most: roomBytes }) });
  const hold = (cached: CachedRoom) => {
    rooms.use(cached.id);
    return () => rooms.release(cached);
  };
  const reading = freshness({ log, archive, hold, failed });
  const parts = { log, node, rooms: reading, observer };
  /** Of workshops that have commands. */
  const queues = new Map<number, CommandQueue>();

  function handle(request: CommandRequest): Promise<Outcome> {
    const queue = queues.get(request.workshopId);
    if (queue !== undefined && queue.waiting.length >= maxWaiting)
      return Promise.resolve({ ok: false, error: wireError('unavailable', 'too many commands are waiting') });
    return new Promise((resolve) => {
      const command = pending(request, resolve);
      if (queue === undefined) begin(request.workshopId, command);
      else queue.waiting.push(command);
    });
  }

  function begin(workshopId: number, first: Pending): void {
    const cached = rooms.use(workshopId);
    const queue: CommandQueue = { cached, waiting: [first], conflicts: 0, working: Promise.resolve() };
    queues.set(workshopId, queue);
    queue.working = work(queue);
  }

  async function work(queue: CommandQueue): Promise<void> {
    // What is handed in after its last look is seen here.
    do await workThrough(parts, queue);
    while (queue.waiting.length > 0);
    queues.delete(queue.cached.id);
    rooms.release(queue.cached);
  }

  function pending(
    { name, payload, actor, commandId }: CommandRequest,
    resolve: (outcome: Outcome) => void,
  ): Pending {
    return {
      command: { name, payload, actor },
      commandId: commandOf(name).repeatable ? undefined : commandId?.toLowerCase(),
      received: performance.now(),
      deadline: log.now() + commandTimeoutMs,
      held: !letsIn(name),
      idChecked: false,
      settle(outcome) {
        if (!outcome.ok) observer.refused?.(name, outcome.error.code);
        resolve(outcome);
      },
    };
  }

  return {
    handle,
    async recall(workshopId, by, commandId) {
      try {
        const { done } = await log.commands.check(workshopId, 0, by, commandId.toLowerCase());
        return done === null ? undefined : { ok: false, error: wireError('conflict', reused, false) };
      } catch (error) {
        observer.failed?.(error);
        return undefined;
      }
    },
    async room(workshopId) {
      const cached = rooms.use(workshopId);
      try {
        await reading.refresh(cached);
        const { room, epoch } = cached;
        return room.version === 0 ? undefined : { room, epoch };
      } catch (cause) {
        throw new CodedError('unavailable', undefined, { cause });
      } finally {
        rooms.release(cached);
      }
    },
    follow: (entry) => rooms.follow(entry),
    invalidate: (partition) => rooms.invalidate(partition),
    async close() {
      while (queues.size > 0) await Promise.all(Array.from(queues.values(), ({ working }) => working));
    },
  };
}

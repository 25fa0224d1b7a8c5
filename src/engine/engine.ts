/**
 * Handling commands: validated outside, decided on a room that is kept fresh, appended in one step.
 * The engine neither knows sockets nor broadcasts: what clients see comes from the tail of the log alone.
 */
import type { CommandName } from '../domain/catalog.ts';
import { commandOf } from '../domain/catalog.ts';
import type { Room } from '../domain/room.ts';
import type { EventLog, FeedEntry } from '../log/log.ts';
import { CodedError, wireError } from '../protocol/errors.ts';
import type { Cell, Pending } from './cell.ts';
import { type CommandRequest, type EngineObserver, type Outcome, reused } from './outcome.ts';
import { workshopQueue } from './queue.ts';
import { type Archive, roomCache } from './rooms.ts';

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
  distrust(partition: number): void;
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
}

export type { Archive, CommandRequest, EngineObserver, Outcome };

/** How long a command may take before it is answered `conflict` or `unavailable`, in milliseconds. */
export const commandTimeoutMs = 2_000;
/** How many commands of one workshop may wait. */
const maxPending = 10_000;

export function workshopEngine({ log, node, archive, observer = {} }: EngineOptions): Engine {
  const rooms = roomCache(log, archive);
  const working = new Set<Promise<void>>();

  function handle(request: CommandRequest): Promise<Outcome> {
    const cell = rooms.cell(request.workshopId);
    if (cell.pending.length >= maxPending)
      return Promise.resolve({ ok: false, error: wireError('unavailable', 'too many commands are waiting') });
    return new Promise((resolve) => {
      const pending: Pending = {
        command: { name: request.name, payload: request.payload, actor: request.actor },
        commandId: commandOf(request.name).repeatable ? undefined : request.commandId?.toLowerCase(),
        received: performance.now(),
        deadline: log.now() + commandTimeoutMs,
        held: !holdsPresence(request.name),
        idChecked: false,
        settle(outcome) {
          if (!outcome.ok) observer.refused?.(request.name, outcome.error.code);
          resolve(outcome);
        },
      };
      cell.pending.push(pending);
      if (cell.working === null) work(cell);
    });
  }

  function work(cell: Cell): void {
    const run = workshopQueue({ log, node, rooms, observer }, cell).finally(() => {
      cell.working = null;
      working.delete(run);
      // What was handed in after the last look and before this.
      if (cell.pending.length > 0) work(cell);
    });
    cell.working = run;
    working.add(run);
  }

  return {
    handle,
    async recall(workshopId, by, commandId) {
      try {
        const { done } = await log.check(workshopId, 0, by, commandId.toLowerCase());
        return done === null ? undefined : { ok: false, error: wireError('conflict', reused, false) };
      } catch (error) {
        observer.failed?.(error);
        return undefined;
      }
    },
    async room(workshopId) {
      const cell = await rooms.fresh(workshopId).catch((cause: unknown) => {
        throw new CodedError('unavailable', undefined, { cause });
      });
      return cell.room.version === 0 ? undefined : { room: cell.room, epoch: cell.epoch };
    },
    follow: (entry) => rooms.follow(entry),
    distrust: (partition) => rooms.distrust(partition),
    async close() {
      while (working.size > 0) await Promise.all(working);
    },
  };
}

/** Commands that bring a user's presence about: the node's hold on the user is written before they are decided. */
function holdsPresence(name: CommandName): boolean {
  return name === 'join' || name === 'rejoin-user';
}

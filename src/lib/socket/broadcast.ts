/**
 * From the tail of the log to the sockets of this node. One tail follows every partition; entries of rooms that have no
 * socket here are passed over undecoded.
 */
import type { Engine } from '../../engine/engine.ts';
import type { EventLog, Tail, TailBatch } from '../../log/log.ts';
import type { Metrics } from '../../observe/metrics.ts';
import type { Absences } from './absence.ts';
import { type Hall, hallOf } from './hall.ts';
import type { Seat } from './seats.ts';
import type { Logger, WorkshopNamespace } from './session.ts';

export interface Halls {
  /** The hall of a workshop, opened if this node has none. */
  open(workshopId: number): Hall;
  get(workshopId: number): Hall | undefined;
  /** Ends this node's hold on a user. A failure is told of and otherwise ignored: the hold ends with the node's lease. */
  release(workshopId: number, userId: number): Promise<void>;
  /** Says anew whom this node holds: others may have taken it for dead. */
  hold(): Promise<void>;
  /** Resolves once everything that is appended from now on reaches the halls. */
  ready: Promise<void>;
  close(): Promise<void>;
}

export interface BroadcastParts {
  nsp: WorkshopNamespace;
  log: EventLog;
  engine: Engine;
  node: string;
  absences: Absences;
  metrics: Metrics;
  logger: Logger;
}

/** When someone who could not be let in again is tried again. */
const rejoinMs = 1_000;
/** How long an empty hall is kept, so that who comes back finds what was missed in memory. */
const idleMs = 60_000;

export function broadcast(parts: BroadcastParts): Halls {
  const { nsp, log, engine, node, absences, metrics, logger } = parts;
  const halls = new Map<number, Hall>();
  const idleSince = new Map<number, number>();

  function failed(error: unknown): void {
    metrics.faults.inc({ place: 'tail' });
    logger.warn({ err: error }, 'reading the log failed; it is tried again');
  }

  function open(workshopId: number): Hall {
    const found = halls.get(workshopId);
    if (found !== undefined) return found;
    const hall = hallOf(nsp, log, workshopId, {
      failed,
      removed: (userId) => {
        absences.end(workshopId, userId);
        if (!hall.has(userId)) void release(workshopId, userId);
      },
      leftWhileHere: (seat) => void rejoin(hall, seat),
      over: () => {
        if (halls.get(workshopId) !== hall) return;
        drop(workshopId);
        log.presence.end(workshopId, node).catch(failed);
      },
      missing: async () => (await engine.room(workshopId))?.room,
      sent: (events) => {
        const [first] = events;
        if (first !== undefined) metrics.fanOut.observe(Math.max(0, log.now() - first.at) / 1_000);
      },
    });
    halls.set(workshopId, hall);
    metrics.rooms.set(halls.size);
    return hall;
  }

  /** Lets someone in again who is connected here although the log says that they left. */
  async function rejoin(hall: Hall, seat: Seat): Promise<void> {
    const { userId, socket } = seat;
    const { displayName, avatarUrl } = socket.data.user;
    const payload = { userId, displayName, avatarUrl };
    const outcome = await engine.handle({
      ...{ workshopId: hall.id, name: 'rejoin-user', payload },
      actor: { kind: 'system' },
    });
    if (outcome.ok || !outcome.error.retryable) return;
    setTimeout(() => {
      if (hall.seats.get(socket.id) !== undefined && !hall.isPresent(userId)) void rejoin(hall, seat);
    }, rejoinMs).unref();
  }

  /** Where the log lost events it may have lost holds too, and nobody would notice the death of this node. */
  async function holdAgain(hall: Hall): Promise<void> {
    // Whoever is leaving gives the hold up, and must not get another one after that.
    const staying = hall.seats.all().filter(({ leaving }) => !leaving);
    const userIds = [...new Set(staying.map(({ userId }) => userId))];
    if (userIds.length > 0) await log.presence.hold(hall.id, userIds, node).catch(failed);
  }

  async function release(workshopId: number, userId: number): Promise<void> {
    await log.presence.release(workshopId, [userId], node).catch(failed);
  }

  function drop(workshopId: number): void {
    halls.delete(workshopId);
    idleSince.delete(workshopId);
    metrics.rooms.set(halls.size);
  }

  async function onBatch({ entries, gap, partition }: TailBatch): Promise<void> {
    if (gap) {
      engine.distrust(partition);
      const here = [...halls.values()].filter((hall) => log.partitionOf(hall.id) === partition);
      await Promise.all(here.map((hall) => hall.compare()));
      await Promise.all(here.map(holdAgain));
      return;
    }
    const touched = new Set<Hall>();
    for (const entry of entries) {
      engine.follow(entry);
      const hall = halls.get(entry.workshopId);
      if (hall === undefined) continue;
      hall.take(entry);
      touched.add(hall);
    }
    for (const hall of touched) hall.flush();
  }

  const from = new Map(Array.from({ length: log.partitions }, (_, partition) => [partition, 'end' as const]));
  const tail: Tail = log.tail({ from, onBatch, onError: failed });

  const sweep = setInterval(() => {
    const now = performance.now();
    for (const hall of halls.values()) {
      if (!hall.isEmpty() || absences.awaits(hall.id)) idleSince.delete(hall.id);
      else if (now - (idleSince.get(hall.id) ?? now) > idleMs) drop(hall.id);
      else if (!idleSince.has(hall.id)) idleSince.set(hall.id, now);
    }
  }, idleMs / 4);

  return {
    open,
    get: (workshopId) => halls.get(workshopId),
    release,
    async hold() {
      const told = [...halls.values()].flatMap((hall) => {
        const users = hall.users();
        return users.length > 0 ? [log.presence.hold(hall.id, users, node)] : [];
      });
      await Promise.all(told);
    },
    ready: tail.ready,
    async close() {
      clearInterval(sweep);
      await tail.close();
    },
  };
}

/**
 * From the tail of the log to the sockets of this node. One tail follows every partition; entries of rooms that have no
 * socket here are passed over undecoded.
 */
import type { Engine } from '../../engine/engine.ts';
import type { EventLog, Tail, TailBatch } from '../../log/log.ts';
import { heapShare } from '../../memory/heapShare.ts';
import type { Metrics } from '../../observe/metrics.ts';
import type { Tracing } from '../../observe/tracing.ts';
import type { NodePresence } from '../../presence/presence.ts';
import { type RoomBroadcast, type RoomEvents, roomBroadcast } from './roomBroadcast.ts';
import type { Logger } from './socket.ts';

export interface RoomBroadcasts {
  /** That of a workshop; begun if this node has none. */
  open(workshopId: number): RoomBroadcast;
  get(workshopId: number): RoomBroadcast | undefined;
  ids(): number[];
  /** Resolves once everything that is appended from now on reaches the rooms. */
  ready: Promise<void>;
  /** Also while the log cannot be read. */
  close(): Promise<void>;
}

export interface BroadcastParts {
  log: EventLog;
  engine: Engine;
  presence: NodePresence;
  metrics: Metrics;
  tracing: Tracing | undefined;
  logger: Logger;
  /** How long a room without sockets is kept, in milliseconds, so that who comes back finds what was missed in memory. */
  idleMs?: number | undefined;
  /** What rooms may weigh together, in bytes, before those without sockets go earlier; a share of the heap if left out. */
  roomBytes?: number | undefined;
  /** How often rooms are looked at, at least, in milliseconds. */
  sweepMs?: number | undefined;
}

const usualIdleMs = 60_000;
const usualSweepMs = 5_000;

interface Broadcasting extends BroadcastParts {
  idleMs: number;
  roomBytes: number;
  rooms: Map<number, RoomBroadcast>;
  /** Rooms without sockets, and since when (`performance.now()`): in that order. */
  idleSince: Map<number, number>;
}

export function broadcast(parts: BroadcastParts): RoomBroadcasts {
  const broadcasting: Broadcasting = {
    ...parts,
    idleMs: parts.idleMs ?? usualIdleMs,
    roomBytes: parts.roomBytes ?? heapShare(1 / 8),
    rooms: new Map(),
    idleSince: new Map(),
  };
  const { log, rooms, idleMs } = broadcasting;
  const from = new Map(Array.from({ length: log.partitions }, (_, partition) => [partition, 'end' as const]));
  const tail: Tail = log.feed.tail({
    from,
    onBatch: (batch) => onBatch(broadcasting, batch),
    onError: (error) => failed(broadcasting, error),
  });
  const sweeping = setInterval(
    () => sweep(broadcasting, performance.now()),
    Math.min(idleMs / 4, parts.sweepMs ?? usualSweepMs),
  );

  return {
    open: (workshopId) => rooms.get(workshopId) ?? open(broadcasting, workshopId),
    get: (workshopId) => rooms.get(workshopId),
    ids: () => [...rooms.keys()],
    ready: tail.ready,
    async close() {
      clearInterval(sweeping);
      for (const room of rooms.values()) room.close();
      await tail.close();
    },
  };
}

function open(broadcasting: Broadcasting, workshopId: number): RoomBroadcast {
  const { log, rooms, metrics } = broadcasting;
  const events = roomEvents(broadcasting, () => room);
  const room: RoomBroadcast = roomBroadcast(log, workshopId, events);
  rooms.set(workshopId, room);
  metrics.rooms.set(rooms.size);
  return room;
}

function close({ rooms, idleSince, metrics }: Broadcasting, room: RoomBroadcast): void {
  room.close();
  rooms.delete(room.id);
  idleSince.delete(room.id);
  metrics.rooms.set(rooms.size);
}

/** What a room's events mean beyond its sockets. */
function roomEvents(broadcasting: Broadcasting, room: () => RoomBroadcast): RoomEvents {
  const { log, engine, presence, metrics, tracing, rooms } = broadcasting;
  return {
    removed(userId) {
      const { id, isPresent } = room();
      // Present all the same: readmitted and in again, by a later stay that has no socket here.
      if (isPresent(userId)) presence.dropped(id, userId);
      else presence.removed(id, userId);
    },
    leftWhileHere({ userId, socket }) {
      const { id, subscriber, isPresent } = room();
      const isStillSo = () => subscriber(socket.id) !== undefined && !isPresent(userId);
      presence.rejoin(id, socket.data.user, isStillSo);
    },
    over() {
      const { id } = room();
      if (rooms.get(id) !== room()) return;
      close(broadcasting, room());
      presence.ended(id);
    },
    missing: async () => (await engine.room(room().id))?.room,
    failed: (error) => failed(broadcasting, error),
    sent(events) {
      const [first] = events;
      tracing?.sent(room().id, events);
      if (first !== undefined) metrics.fanOut.observe(Math.max(0, log.now() - first.at) / 1_000);
    },
  };
}

function onBatch(
  broadcasting: Broadcasting,
  { entries, gap, partition }: TailBatch,
): undefined | Promise<void> {
  const { engine, rooms } = broadcasting;
  if (gap) return onGap(broadcasting, partition);
  const touched = new Set<RoomBroadcast>();
  for (const entry of entries) {
    engine.follow(entry);
    const room = rooms.get(entry.workshopId);
    if (room === undefined) continue;
    room.take(entry);
    touched.add(room);
  }
  for (const room of touched) room.flush();
  return undefined;
}

/** The feed lost track, and the log perhaps events. */
async function onGap({ log, engine, presence, rooms }: Broadcasting, partition: number): Promise<void> {
  engine.invalidate(partition);
  const here = [...rooms.values()].filter(({ id }) => log.partitionOf(id) === partition);
  const compared = here.map((room) => {
    const { done, failed } = room.compare();
    // Then it may have lost holds too, and nobody would notice the death of this node.
    const held = done.then(() => presence.holdAgain([room.id]));
    // A room that cannot be read must not hold the others of the feed up: what comes for it waits until it can be.
    return Promise.race([held, failed]);
  });
  await Promise.all(compared);
}

function sweep(broadcasting: Broadcasting, now: number): void {
  const { rooms, idleSince, presence, idleMs } = broadcasting;
  for (const room of rooms.values()) {
    const since = idleSince.get(room.id);
    if (!room.isIdle() || presence.awaits(room.id)) idleSince.delete(room.id);
    else if (since === undefined) idleSince.set(room.id, now);
    else if (now - since > idleMs) close(broadcasting, room);
  }
  lighten(broadcasting);
}

/** Where rooms are too heavy together those go first that had nobody for longest. What has sockets stays. */
function lighten(broadcasting: Broadcasting): void {
  const { rooms, idleSince, roomBytes } = broadcasting;
  let weight = 0;
  for (const room of rooms.values()) weight += room.weight();
  for (const id of idleSince.keys()) {
    if (weight <= roomBytes) return;
    const room = rooms.get(id);
    if (room === undefined) continue;
    weight -= room.weight();
    close(broadcasting, room);
  }
}

function failed({ metrics, logger }: Broadcasting, error: unknown): void {
  metrics.faults.inc({ place: 'tail' });
  logger.warn({ err: error }, 'reading the log failed; it is tried again');
}

/**
 * The rooms that commands are decided on. They need not be the newest – an append on an old one conflicts – but before
 * something is refused they are brought up to date (`freshness.ts`).
 *
 *   unknown ──(use)──► in use ──(the last one lets go)──► idle ──(the heaviest share is full: unused for longest)──► let go
 *                        ▲  │ there is no such workshop    │  └──(over, and nobody asked for a minute)──► let go
 *                        │  └──► let go                    │
 *                        └───────────(use)─────────────────┘
 *
 * What is in use stays. Whoever asks for workshops that do not exist takes nobody's place.
 */
import { LRUCache } from 'lru-cache';
import { evolveAll } from '../domain/evolve.ts';
import { emptyRoom, isOver, type Room, roomWeight } from '../domain/room.ts';
import type { EventLog, FeedEntry } from '../log/log.ts';
import { heapShare } from '../memory/heapShare.ts';
import { keepSnapshot, worthKeeping } from './snapshots.ts';

/** A workshop as this node knows it for its commands. */
export interface CachedRoom {
  readonly id: number;
  room: Room;
  epoch: string;
  /** The room held everything that was in the log at this time (`performance.now()`). */
  freshAsOf: number;
  /** False where it has to be read (again) before anything is decided. */
  loaded: boolean;
  /** The log has no stream of it: the room was folded from what was kept elsewhere. */
  kept: boolean;
  /** Version of the newest snapshot that this node knows of. */
  snapshotAt: number;
  /** How many use it. */
  users: number;
  /** Its version when it was weighed. */
  weighedAt: number;
}

export interface Rooms {
  /** Read or not. It stays until it was released as often as it was asked for. */
  use(workshopId: number): CachedRoom;
  release(cached: CachedRoom): void;
  /** Events read back from the feed. */
  follow(entry: FeedEntry): void;
  /** What the rooms of a partition were folded from may not be in the log any more: they are read again. */
  invalidate(partition: number): void;
  /** How many rooms there are, in use or not. */
  readonly size: number;
}

export interface RoomsOptions {
  log: Pick<EventLog, 'events' | 'snapshots' | 'partitionOf'>;
  /** What rooms may weigh together before those go that nobody uses, in bytes. */
  most?: number;
  /** How long a room that is over stays, in milliseconds: its page is still looked at. */
  overMs?: number;
  /** A snapshot could not be kept. */
  failed(error: unknown): void;
}

const usualOverMs = 60_000;
/** A room that grows is weighed again after so many events at least, and after an eighth of what it had. */
const weighAgain = 16;

interface Cache extends RoomsOptions {
  readonly overMs: number;
  readonly inUse: Map<number, CachedRoom>;
  /** In the order of use; also most of those in use, so that a command more or less changes little. */
  readonly weighed: LRUCache<number, CachedRoom>;
  purgedAt: number;
}

export function engineRooms(options: RoomsOptions): Rooms {
  const { log, most = heapShare(1 / 8), overMs = usualOverMs } = options;
  const cache: Cache = {
    ...options,
    overMs,
    inUse: new Map(),
    weighed: new LRUCache({
      maxSize: most,
      sizeCalculation: ({ room }) => roomWeight(room),
      dispose(cached, _, reason) {
        if (cached.users === 0 && (reason === 'evict' || reason === 'expire')) letGo(cache, cached);
      },
    }),
    purgedAt: performance.now(),
  };
  const { inUse, weighed } = cache;
  return {
    use: (workshopId) => use(cache, workshopId),
    release: (cached) => release(cache, cached),
    follow: (entry) => follow(cache, entry),
    invalidate(partition) {
      for (const cached of inUse.values())
        if (log.partitionOf(cached.id) === partition) cached.loaded = false;
      for (const id of [...weighed.keys()]) if (log.partitionOf(id) === partition) weighed.delete(id);
    },
    get size() {
      let used = 0;
      for (const id of inUse.keys()) if (!weighed.has(id)) used++;
      return used + weighed.size;
    },
  };
}

function use({ inUse, weighed }: Cache, workshopId: number): CachedRoom {
  const cached = inUse.get(workshopId) ?? weighed.get(workshopId) ?? unread(workshopId);
  inUse.set(workshopId, cached);
  cached.users++;
  return cached;
}

function unread(id: number): CachedRoom {
  return {
    ...{ id, room: emptyRoom(id), epoch: '', freshAsOf: -1, loaded: false, kept: false },
    ...{ snapshotAt: 0, users: 0, weighedAt: 0 },
  };
}

function release(cache: Cache, cached: CachedRoom): void {
  if (--cached.users > 0) return;
  cache.inUse.delete(cached.id);
  if (!cached.loaded || cached.room.version === 0) cache.weighed.delete(cached.id);
  else if (cache.weighed.peek(cached.id) !== cached || isHeavier(cached)) weigh(cache, cached);
  purge(cache);
}

function isHeavier({ room, weighedAt }: CachedRoom): boolean {
  return room.version - weighedAt >= Math.max(weighAgain, weighedAt / 8) || isOver(room);
}

function weigh(cache: Cache, cached: CachedRoom): void {
  const { weighed, overMs } = cache;
  cached.weighedAt = cached.room.version;
  // The same object would be taken for as heavy as it was.
  weighed.delete(cached.id);
  weighed.set(cached.id, cached, { ttl: isOver(cached.room) ? overMs : 0 });
  // One that is heavier than all may be is not taken.
  if (!weighed.has(cached.id)) letGo(cache, cached);
}

/** Rooms that are over go as others come and go: no timer has to look for them. */
function purge(cache: Cache): void {
  const now = performance.now();
  if (now - cache.purgedAt < cache.overMs / 2) return;
  cache.purgedAt = now;
  cache.weighed.purgeStale();
}

/** Whoever needs it again goes on from there. */
function letGo({ log, failed }: Cache, cached: CachedRoom): void {
  const { room, epoch, kept, snapshotAt } = cached;
  if (kept || room.version - snapshotAt < worthKeeping / 2) return;
  cached.snapshotAt = room.version;
  keepSnapshot(log, room, epoch).catch(failed);
}

function follow(cache: Cache, entry: FeedEntry): void {
  const { inUse, weighed } = cache;
  const cached = inUse.get(entry.workshopId) ?? weighed.peek(entry.workshopId);
  if (cached === undefined) return;
  // Written anew, or a stream where there was none.
  if (entry.to < entry.from || (cached.loaded && cached.epoch === '')) {
    forget(cache, cached, entry.epoch);
    return;
  }
  if (!cached.loaded || cached.epoch !== entry.epoch) return;
  const { version } = cached.room;
  if (entry.from > version + 1 || entry.to <= version) return;
  try {
    evolveAll(cached.room, entry.events());
  } catch {
    // What is wrong with it comes out where it is asked for; the other rooms of the feed go on.
    cached.loaded = false;
    weighed.delete(cached.id);
    return;
  }
  if (cached.users === 0 && isHeavier(cached)) weigh(cache, cached);
}

/** Its events were written anew, under the given epoch: what it was folded from is not there any more. */
function forget({ weighed }: Cache, cached: CachedRoom, epoch: string): void {
  if (cached.epoch === epoch && !cached.kept) return;
  cached.loaded = false;
  weighed.delete(cached.id);
}

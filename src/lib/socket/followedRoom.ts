/**
 * A room folded from the tail of the log and from nothing else, with its last events at hand. Entries of the feed that do not
 * follow on what is there – a gap, another epoch – make it read the log itself; what comes meanwhile waits.
 *
 *   following ──(a gap, another epoch, a feed that lost track)──► reading ──► following
 *       │                                                         │  └─(events were lost)─► starts anew
 *       └────────────────────────► closed ◄───────────────────────┘
 */
import { evolve, type RecordedEvent } from '../../domain/evolve.ts';
import { emptyRoom, isOver, type Room, roomWeight } from '../../domain/room.ts';
import { current } from '../../domain/upcast.ts';
import { beginning, type KeptRoom } from '../../engine/snapshots.ts';
import { type EventLog, type FeedEntry, type HeadWithPast, isPart, readAll } from '../../log/log.ts';
import { promised } from '../../timing/promised.ts';
import { retrying } from '../../timing/retry.ts';
import { type RecentEvents, recentEvents, recentKept } from './recentEvents.ts';

export interface FollowedRoom {
  /** Changed in place, and another one after a loss: ask for it each time. */
  room(): Room;
  epoch(): string;
  /** Until the room is folded up to where the log was when this began, or when it last had to be read. */
  ready(): Reading;
  /** While the log is being read the room stands still or is in the middle of something. */
  isReading(): boolean;
  /** The next append, from the feed. */
  take(entry: FeedEntry): void;
  /** The feed lost track: compares with the log itself. */
  compare(): Reading;
  /** Events that were applied since this was last called. */
  fresh(): RecordedEvent[];
  /** The events at hand after a version, up to another one; undefined where the first of them is not at hand any more. */
  since(version: number, until?: number): RecordedEvent[] | undefined;
  /** Whether what was seen up to `version` in `epoch` is part of the room as it is now, or was at version `now`. */
  isPart(epoch: string, version: number, now: number): boolean;
  /** The last event at hand that is such. */
  last(isSuch: (event: RecordedEvent) => boolean): RecordedEvent | undefined;
  /** Lets go of events beyond those that are kept for resumes. */
  trim(): void;
  /** How many bytes of memory it takes, roughly. */
  weight(): number;
  /** Follows and reads no more: a log that cannot be read holds nobody up. */
  close(): void;
}

export interface Reading {
  /** Resolves once the room is what the log says, or is closed. */
  done: Promise<void>;
  /** Resolves where the log could not be read: it is tried again, and others need not wait for it. */
  failed: Promise<void>;
}

export interface RoomChanges {
  /** The next entry is about to be applied. */
  before(): void;
  /** It has read the log and follows the tail again. */
  followsAgain(): void;
  /** Another epoch began without the loss of anything. */
  epochBegan(): void;
  /** Events were lost: the room is what survived. */
  startedAnew(): void;
  /**
   * The log has no stream of a workshop that is under way here. Resolves once it was put back, or can't be, with the room as it is
   * known otherwise: it may have ended and left the log.
   */
  missing(): Promise<Readonly<Room> | undefined>;
  failed(error: unknown): void;
}

interface Following {
  readonly log: EventLog;
  readonly id: number;
  readonly changes: RoomChanges;
  readonly closing: AbortController;
  state: { is: 'following' | 'closed' } | ({ is: 'reading' } & Reading);
  /** The feed lost track while the log was being read: it is compared once more. */
  comparesNext: boolean;
  /** What came from the feed and is not applied yet. */
  readonly queue: FeedEntry[];
  room: Room;
  epoch: string;
  /** Past epochs, and where each ended. */
  past: HeadWithPast['past'];
  recent: RecentEvents;
  /** Applied and not yet asked for. */
  fresh: RecordedEvent[];
}

export function followedRoom(log: EventLog, id: number, changes: RoomChanges): FollowedRoom {
  const following: Following = {
    log,
    id,
    changes,
    closing: new AbortController(),
    state: { is: 'following' },
    comparesNext: false,
    queue: [],
    room: emptyRoom(id),
    epoch: '',
    past: new Map(),
    recent: recentEvents(0),
    fresh: [],
  };
  read(following, load);
  return {
    room: () => following.room,
    epoch: () => following.epoch,
    ready: () => (following.state.is === 'reading' ? following.state : nothingToRead),
    isReading: () => following.state.is === 'reading',
    take(entry) {
      following.queue.push(entry);
      pump(following);
    },
    compare: () => compare(following),
    fresh() {
      const events = following.fresh;
      following.fresh = [];
      return events;
    },
    since: (version, until) => following.recent.since(version, until),
    isPart: (seenIn, version, now) =>
      isPart({ version: now, epoch: following.epoch, past: following.past }, seenIn, version),
    last: (isSuch) => following.recent.last(isSuch),
    trim: () => following.recent.trim(),
    weight: () => roomWeight(following.room) + following.recent.weight(),
    close() {
      following.state = { is: 'closed' };
      following.closing.abort();
    },
  };
}

const nothingToRead: Reading = { done: Promise.resolve(), failed: Promise.resolve() };

/** Runs something that reads the log, one at a time and until it succeeds; then goes on with the queue. */
function read(following: Following, work: (following: Following) => Promise<void>): Reading {
  if (following.state.is === 'closed') return nothingToRead;
  if (following.state.is === 'reading') return following.state;
  const { promise: failed, resolve: fail } = promised<void>();
  const done = untilDone(following, work, fail).then(() => {
    if (following.state.is === 'closed') return;
    following.state = { is: 'following' };
    if (following.comparesNext) {
      following.comparesNext = false;
      const again = read(following, followOn);
      again.failed.then(fail);
      return again.done;
    }
    pump(following);
    following.changes.followsAgain();
  });
  following.state = { is: 'reading', done, failed };
  return following.state;
}

async function untilDone(
  following: Following,
  work: (following: Following) => Promise<void>,
  fail: () => void,
): Promise<void> {
  const { signal } = following.closing;
  try {
    await retrying(() => work(following), {
      signal,
      pauses: { first: 50, most: 1_000 },
      onError(error) {
        fail();
        following.changes.failed(error);
      },
    });
  } catch (reason) {
    if (!signal.aborted) throw reason;
  }
}

/** Applies what came from the feed, up to the first entry that does not follow on what is there. */
function pump(following: Following): void {
  const { queue, changes } = following;
  while (queue.length > 0 && following.state.is === 'following') {
    const entry = queue[0];
    if (entry === undefined) return;
    if (entry.epoch !== following.epoch) return void read(following, followOn);
    if (entry.from > following.room.version + 1) return void read(following, fill);
    queue.shift();
    changes.before();
    try {
      if (entry.to > following.room.version) apply(following, entry.events());
    } catch (error) {
      // What cannot be read here, such as an event of a newer schema, must not hold the other rooms of the feed up.
      changes.failed(error);
      // What came before it is told.
      changes.followsAgain();
      return void read(following, fill);
    }
  }
}

function apply({ room, recent, fresh }: Following, events: readonly RecordedEvent[]): void {
  for (const stored of events) {
    if (stored.version <= room.version) continue;
    const event = current(stored);
    evolve(room, event);
    recent.add(event);
    fresh.push(event);
  }
}

function compare(following: Following): Reading {
  // What is being read now may have begun before the feed lost track.
  following.comparesNext = following.state.is === 'reading';
  return read(following, followOn);
}

/** From a room that was kept, with the events before it that resumes ask for; without one from the first event on. */
async function load(following: Following): Promise<void> {
  const { log, id } = following;
  const { head, kept } = await beginning(log, id);
  if (kept !== undefined && (await takeUp(following, kept, head))) return;
  startWith(following, emptyRoom(id), head);
  for await (const page of readAll(log.events, id)) applyUntold(following, page);
}

/** False where the log does not have the event that the room ends with. */
async function takeUp(
  following: Following,
  { room, eventId }: KeptRoom,
  head: HeadWithPast | null,
): Promise<boolean> {
  const { version } = room;
  const first = Math.max(0, version - recentKept);
  startWith(following, room, head, first);
  let isThere = false;
  for await (const page of readAll(following.log.events, following.id, first)) {
    for (const stored of page) {
      if (stored.version <= version) following.recent.add(current(stored));
      isThere ||= stored.version === version && stored.eventId === eventId;
    }
    if (!isThere && (page.at(-1)?.version ?? 0) >= version) return false;
    applyUntold(following, page);
  }
  return isThere;
}

/** Whoever comes in gets them with the state. */
function applyUntold(following: Following, page: readonly RecordedEvent[]): void {
  apply(following, page);
  following.fresh = [];
  following.recent.trim();
}

/** What follows on the version that is here. */
async function fill(following: Following): Promise<void> {
  const { log, id, room } = following;
  for await (const page of readAll(log.events, id, room.version)) apply(following, page);
}

/** Another epoch, or a feed that lost track: goes on where nothing of this room is lost, and starts anew where it is. */
async function followOn(following: Following): Promise<void> {
  const { log, id, changes, room, epoch } = following;
  let head = await log.events.head(id);
  if (head === null && room.version > 0 && !isOver(room)) {
    // The stream is gone. Whoever reads the workshop puts it back from where it is kept, if it is kept anywhere.
    const elsewhere = await changes.missing();
    head = await log.events.head(id);
    if (head === null && elsewhere !== undefined && isOver(elsewhere)) return endAs(following, elsewhere);
  }
  // What is not there at all is not this node's to judge.
  if (head === null) return skipTo(following, epoch);
  // Also where all of it is there the events may have been written anew: an epoch whose end nobody knows counts for nothing.
  const isWhole = head.epoch === epoch || isPart(head, epoch, room.version);
  if (!isWhole || !(await isOurs(following, head.version))) {
    if (head.epoch === epoch) await log.events.newEpoch(id, epoch);
    await load(following);
    skipTo(following, following.epoch);
    return changes.startedAnew();
  }
  begin(following, head);
  skipTo(following, head.epoch);
  await fill(following);
  if (head.epoch !== epoch) changes.epochBegan();
}

/** Whether the log still holds what this room was folded from. */
async function isOurs({ log, id, room, recent }: Following, version: number): Promise<boolean> {
  const last = recent.last();
  if (version < room.version) return false;
  if (last === undefined) return true;
  const [there] = await log.events.read(id, last.version - 1, 1);
  return there?.eventId === last.eventId;
}

/** It ended and left the log while this node was cut off from it. */
function endAs(following: Following, room: Readonly<Room>): void {
  // A copy: whose it is may change it.
  startWith(following, structuredClone(room), null);
  skipTo(following, following.epoch);
  following.changes.startedAnew();
}

/** `after` is the version behind which its events are at hand. */
function startWith(following: Following, room: Room, head: HeadWithPast | null, after = room.version): void {
  Object.assign(following, { room, recent: recentEvents(after), fresh: [] });
  begin(following, head);
}

function begin(following: Following, head: HeadWithPast | null): void {
  following.epoch = head?.epoch ?? '';
  following.past = head?.past ?? new Map();
}

/** Entries of other epochs than the log's present one are of no use any more. */
function skipTo({ queue }: Following, present: string): void {
  while (queue.length > 0 && queue[0]?.epoch !== present) queue.shift();
}

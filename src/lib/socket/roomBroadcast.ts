/**
 * One room as this node shows it to its sockets. What they get – state, events, what a resume missed – is one gap-free run of
 * versions, since it comes from one room that follows the tail of the log (`followedRoom.ts`).
 *
 * A socket is either joining (its join is acknowledged, the tail has not come that far) or subscribed (it has everything up to
 * the room's version and gets what follows). Subscribing and sending happen in one turn of the loop: no event falls between.
 *
 *   join ─► joining ──(the tail reaches its version)──► subscribed ──(leave, drop, removal, end)──► gone
 */
import type { RecordedEvent } from '../../domain/evolve.ts';
import { isOver, isRemoved, type Status } from '../../domain/room.ts';
import type { EventLog, FeedEntry } from '../../log/log.ts';
import { attendeesPage, stateView } from '../../protocol/wire.ts';
import { type Entrance, entranceOf } from './entrance.ts';
import { type FollowedRoom, followedRoom, type Reading, type RoomChanges } from './followedRoom.ts';
import type { WorkshopSocket } from './socket.ts';
import { type Mode, type Subscriber, type Subscribers, subscribersOf } from './subscribers.ts';

export interface ResumePoint {
  version: number;
  epoch: string;
}

export interface RoomBroadcast {
  readonly id: number;
  /** Until the room is folded up to where the log was when this began. */
  ready(): Reading;
  version(): number;
  epoch(): string;
  /** Whether what follows on that point is at hand, for a join that was acknowledged at `version`. */
  canResume(after: ResumePoint, version: number): boolean;
  /**
   * Lets a socket in whose join was acknowledged at `version`: after a resume point it gets exactly what it missed,
   * otherwise the state. Resolves when it is subscribed, or out again.
   */
  enter(newcomer: Newcomer): Promise<void>;
  subscriber(socketId: string): Subscriber | undefined;
  /** Takes a socket out; whether it was in. */
  leave(socketId: string): boolean;
  /** Whether the user has a socket here. */
  has(userId: number): boolean;
  /** Whether the user has another socket here that is not leaving. */
  hasOther(userId: number, socketId: string): boolean;
  /** Everyone with a socket here that is not leaving. */
  staying(): number[];
  /** Whether the user is present by the log, wherever their sockets are. */
  isPresent(userId: number): boolean;
  /** Keeps it from being idle until it is let go of, for whoever is about to enter. */
  hold(): () => void;
  /** Nobody is here or about to be. */
  isIdle(): boolean;
  page(after: number, limit: number): ReturnType<typeof attendeesPage>;
  /** The next append, from the feed. */
  take(entry: FeedEntry): void;
  /** Sends what was taken. */
  flush(): void;
  /** The feed lost track: compares with the log itself. */
  compare(): Reading;
  /** How many bytes of memory it takes, roughly. */
  weight(): number;
  /** Follows the log no more. */
  close(): void;
}

export interface Newcomer {
  socket: WorkshopSocket;
  userId: number;
  mode: Mode;
  version: number;
  after: number | undefined;
}

export interface RoomEvents {
  /** Someone with a socket here was removed, and it is out. */
  removed(userId: number): void;
  /** The log says that this one left, who is here. */
  leftWhileHere(subscriber: Subscriber): void;
  /** The workshop is over and nobody here any more. */
  over(): void;
  /** As in `RoomChanges`. */
  missing: RoomChanges['missing'];
  failed(error: unknown): void;
  sent(events: readonly RecordedEvent[]): void;
}

interface Parts {
  readonly id: number;
  readonly subscribers: Subscribers;
  readonly followed: FollowedRoom;
  readonly on: RoomEvents;
  readonly entrance: Entrance;
  /** How many are about to enter. */
  holds: number;
}

export function roomBroadcast(log: EventLog, id: number, on: RoomEvents): RoomBroadcast {
  const subscribers = subscribersOf(id);
  const followed = followedRoom(log, id, {
    missing: on.missing,
    failed: on.failed,
    // Whoever waits for what is here already gets the state before the next events, and those as events.
    before() {
      if (subscribers.joining.size > 0 && !parts.entrance.isCrowded()) flush(parts);
    },
    followsAgain: () => void flush(parts),
    epochBegan: () => epochBegan(parts),
    startedAnew: () => startedAnew(parts),
  });
  const entrance = entranceOf(() => letIn(parts));
  const parts: Parts = { id, subscribers, followed, on, entrance, holds: 0 };

  return {
    id,
    ready: followed.ready,
    version: () => followed.room().version,
    epoch: followed.epoch,
    canResume: (after, version) =>
      followed.isPart(after.epoch, after.version, version) && followed.since(after.version) !== undefined,
    enter: (newcomer) => enter(parts, newcomer),
    subscriber: subscribers.get,
    leave: (socketId) => leave(parts, socketId),
    has: (userId) => subscribers.of(userId).length > 0,
    hasOther: (userId, socketId) =>
      subscribers.of(userId).some((each) => each.socket.id !== socketId && isStaying(each)),
    staying: () => staying(subscribers),
    isPresent: (userId) => followed.room().present.has(userId),
    hold() {
      parts.holds++;
      return () => void parts.holds--;
    },
    // Also one that cannot be read: whoever comes next begins another.
    isIdle: () => subscribers.isEmpty() && parts.holds === 0,
    page: (after, limit) => attendeesPage(followed.room(), after, limit),
    take: followed.take,
    flush() {
      if (!followed.isReading()) flush(parts);
    },
    compare: followed.compare,
    weight: followed.weight,
    close() {
      entrance.close();
      followed.close();
    },
  };
}

function enter(parts: Parts, { socket, userId, mode, version, after }: Newcomer): Promise<void> {
  return new Promise((done) => {
    // Also who resumes waits for the own joining: a removal that came before it is none of this stay.
    parts.subscribers.add({ socket, userId, mode, stage: { is: 'joining', version, after, done } });
    parts.entrance.entered();
  });
}

function leave({ subscribers }: Parts, socketId: string): boolean {
  const subscriber = subscribers.remove(socketId);
  if (subscriber?.stage.is === 'joining') subscriber.stage.done();
  return subscriber !== undefined;
}

/** States to one turn of the loop where many come together: some 60 kB for each of them. */
const atOnce = 128;

/** Lets some in; whether others wait whom the tail has reached. */
function letIn(parts: Parts): boolean {
  return flush(parts, parts.entrance.isCrowded() ? atOnce : Number.POSITIVE_INFINITY);
}

/**
 * Sends what is new, and subscribes whom the tail has reached, at most so many of those who get the state: none where the entrance
 * is crowded. Whether any were left.
 */
function flush(parts: Parts, most = parts.entrance.isCrowded() ? 0 : Number.POSITIVE_INFINITY): boolean {
  const { subscribers, followed, on } = parts;
  sendFresh(parts);
  const isLast = isOver(followed.room());
  const wereLeft = subscribeArrived(parts, isLast ? Number.POSITIVE_INFINITY : most);
  // While someone waits to resume, what was promised stays.
  if (subscribers.joining.size === 0) followed.trim();
  // While it reads it may see the end before all is told: the end of the reading comes here again.
  if (followed.isReading() || !isLast) return wereLeft;
  for (const { socket } of subscribers.subscribed()) subscribers.remove(socket.id);
  on.over();
  return false;
}

function sendFresh(parts: Parts): void {
  const { subscribers, followed, on } = parts;
  const events = followed.fresh();
  if (events.length === 0) return;
  for (let from = 0; from < events.length; ) {
    // Whom an event ends gets it as the last one, whatever comes in the same turn.
    const end = events.findIndex((event, index) => index >= from && expels(parts, event));
    const together = events.slice(from, end === -1 ? events.length : end + 1);
    subscribers.send(together, followed.room(), followed.epoch());
    for (const event of together) follow(parts, event);
    from += together.length;
  }
  on.sent(events);
}

/** Whether it ends the stay of someone who is subscribed here. */
function expels(parts: Parts, event: RecordedEvent): boolean {
  if (event.type === 'user-removed') return parts.subscribers.subscribed(userOf(event)).length > 0;
  return endsWorkshop(event);
}

/** What an event means for the sockets here. */
function follow(parts: Parts, event: RecordedEvent): void {
  const { subscribers, on } = parts;
  if (endsWorkshop(event)) for (const { socket } of subscribers.subscribed()) subscribers.remove(socket.id);
  if (event.type === 'user-removed') {
    const userId = userOf(event);
    for (const { socket } of subscribers.subscribed(userId)) subscribers.remove(socket.id);
    on.removed(userId);
  }
  if (event.type === 'user-left') {
    const staying = subscribers.subscribed(userOf(event)).find(isStaying);
    if (staying !== undefined) rejoinIfMissed(parts, staying);
  }
}

/** Someone with a socket here who is not present by the log. */
function rejoinIfMissed({ followed, on }: Parts, subscriber: Subscriber): void {
  const room = followed.room();
  if (isStaying(subscriber) && !room.present.has(subscriber.userId) && !isOver(room))
    on.leftWhileHere(subscriber);
}

/**
 * Subscribes those to whose version the tail has come, and tells those out who were removed meanwhile; of those who get the state so
 * many at most. Whether any were left.
 */
function subscribeArrived(parts: Parts, most: number): boolean {
  const { subscribers, followed } = parts;
  if (subscribers.joining.size === 0 || followed.isReading()) return false;
  const room = followed.room();
  const getState: Subscriber[] = [];
  const removedSince: [Subscriber, RecordedEvent][] = [];
  let wereLeft = false;
  for (const subscriber of [...subscribers.joining]) {
    const { stage, userId } = subscriber;
    if (stage.is !== 'joining' || stage.version > room.version) continue;
    if (stage.after === undefined && getState.length >= most) {
      wereLeft = true;
      continue;
    }
    const removal = removalOf(parts, userId, stage.version);
    if (stage.after === undefined) {
      getState.push(subscriber);
      if (removal !== undefined) removedSince.push([subscriber, removal]);
    } else {
      // A removal is the last that who was removed gets.
      subscribers.sendTo(subscriber, followed.since(stage.after, removal?.version) ?? [], room);
    }
    settle(parts, subscriber, removal !== undefined || isRemoved(room, userId));
    stage.done();
  }
  sendState(parts, getState);
  for (const [subscriber, removal] of removedSince) subscribers.sendTo(subscriber, [removal], room);
  return wereLeft;
}

function settle(parts: Parts, subscriber: Subscriber, isOut: boolean): void {
  const { subscribers, on } = parts;
  const { socket, userId } = subscriber;
  if (!isOut && socket.connected) {
    subscribers.subscribe(subscriber);
    rejoinIfMissed(parts, subscriber);
  } else {
    subscribers.remove(socket.id);
    // When the removal came this socket was on its way in.
    if (isOut) on.removed(userId);
  }
}

/**
 * What ended the stay that began at `version`, also where the user was readmitted since: the socket is out until it joins
 * again. Of a stay of which nobody knows where it began (0) that is told by the room alone.
 */
function removalOf({ followed }: Parts, userId: number, version: number): RecordedEvent | undefined {
  if (version === 0 && !isRemoved(followed.room(), userId)) return undefined;
  const isSuch = (event: RecordedEvent) => event.type === 'user-removed' && userOf(event) === userId;
  return followed.last((event) => isSuch(event) && event.version > version);
}

/** Another epoch, and nothing was lost. Batches tell of it themselves, so that a large room need not get its state for nothing. */
function epochBegan(parts: Parts): void {
  sendFresh(parts);
  const singles = parts.subscribers.subscribed().filter(({ mode }) => mode === 'single');
  sendState(parts, singles);
}

/** Events were lost: what survived is everyone's state, and nobody has anything to resume after. */
function startedAnew(parts: Parts): void {
  const { subscribers } = parts;
  for (const { stage } of subscribers.joining) Object.assign(stage, { version: 0, after: undefined });
  const subscribed = subscribers.subscribed();
  sendState(parts, subscribed);
  for (const subscriber of subscribed) rejoinIfMissed(parts, subscriber);
}

function sendState({ subscribers, followed }: Parts, to: readonly Subscriber[]): void {
  if (to.length > 0) subscribers.sendState(to, stateView(followed.room(), followed.epoch()));
}

function staying(subscribers: Subscribers): number[] {
  const userIds = subscribers.all().flatMap((each) => (isStaying(each) ? each.userId : []));
  return [...new Set(userIds)];
}

function isStaying({ stage }: Subscriber): boolean {
  return stage.is !== 'leaving';
}

function endsWorkshop(event: RecordedEvent): boolean {
  if (event.type !== 'state-changed') return false;
  const { status } = event.data as { status: Status };
  return status === 'ended' || status === 'cancelled';
}

function userOf(event: RecordedEvent): number {
  return (event.data as { userId: number }).userId;
}

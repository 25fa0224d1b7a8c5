/**
 * One room as this node shows it to its sockets. What they get – state, events, what a resume missed – is one gap-free run of
 * versions, since it comes from one room that follows the tail of the log (`followedRoom.ts`).
 *
 * A socket is either waiting (its join is acknowledged, the tail has not come that far) or seated (it has everything up to
 * the room's version and gets what follows). Seating and sending happen in one turn of the loop: no event falls between.
 *
 *   join ─► waiting ──(the tail reaches its version)──► seated ──(leave, drop, removal, end)──► gone
 */
import type { RecordedEvent } from '../../domain/evolve.ts';
import { isOver, isRemoved, type Status } from '../../domain/room.ts';
import type { EventLog, FeedEntry } from '../../log/log.ts';
import { attendeesPage, stateView } from '../../protocol/wire.ts';
import { followedRoom, type RoomChanges } from './followedRoom.ts';
import { type Seat, type Seats, seatsOf } from './seats.ts';
import type { WorkshopNamespace } from './session.ts';

export interface ResumePoint {
  version: number;
  epoch: string;
}

export interface Hall {
  readonly id: number;
  readonly seats: Seats;
  /** Resolves once the room is folded up to where the log was when the hall was opened. */
  ready: Promise<void>;
  version(): number;
  epoch(): string;
  /** Whether what follows on that point is at hand, for a join that was acknowledged at `version`. */
  canResume(after: ResumePoint, version: number): boolean;
  /**
   * Lets a socket in whose join was acknowledged at `version`: after a resume point it gets exactly what it missed,
   * otherwise the state. Resolves when it is seated.
   */
  enter(seat: Seat, version: number, after: ResumePoint | undefined): Promise<void>;
  /** Takes a socket out, waiting or seated; true where the user has no other socket here. */
  leave(socketId: string): boolean;
  has(userId: number): boolean;
  /** Everyone with a socket here, waiting or seated. */
  users(): number[];
  isPresent(userId: number): boolean;
  /** Nobody is seated, and nobody waits. */
  isEmpty(): boolean;
  /** Whether the user has another socket here, waiting or seated, that is not leaving. */
  hasOther(userId: number, socketId: string): boolean;
  page(after: number, limit: number): ReturnType<typeof attendeesPage>;
  /** The next append, from the feed. */
  take(entry: FeedEntry): void;
  /** Sends what was taken. */
  flush(): void;
  /** The feed lost track: compares with the log itself. */
  compare(): Promise<void>;
}

export interface HallEvents {
  /** Someone with a socket here was removed, or is said to have left. */
  removed(userId: number): void;
  leftWhileHere(seat: Seat): void;
  /** The workshop is over and the hall empty. */
  over(): void;
  /** As in `RoomChanges`. */
  missing: RoomChanges['missing'];
  failed(error: unknown): void;
  sent(events: readonly RecordedEvent[]): void;
}

interface Waiting {
  seat: Seat;
  version: number;
  after: ResumePoint | undefined;
  seated(): void;
}

export function hallOf(nsp: WorkshopNamespace, log: EventLog, id: number, tell: HallEvents): Hall {
  const seats = seatsOf(nsp, id);
  const waiting = new Map<string, Waiting>();
  let seatingSoon = false;

  const followed = followedRoom(log, id, {
    missing: tell.missing,
    failed: tell.failed,
    // Whoever waits for what is here already gets the state before the next events, and those as events.
    before() {
      if (waiting.size > 0) flush();
    },
    followsAgain: () => flush(),
    epochBegan() {
      // Batches tell of the epoch themselves, so that a large room need not get its state for nothing.
      sendFresh();
      sendState(seats.all().filter(({ mode }) => mode === 'single'));
    },
    startedAnew() {
      for (const entry of waiting.values()) Object.assign(entry, { version: 0, after: undefined });
      sendState(seats.all());
      for (const seat of seats.all()) missedBy(seat);
    },
  });

  function sendState(targets: readonly Seat[]): void {
    seats.sendState(targets, stateView(followed.room(), followed.epoch()));
  }

  /** Someone with a socket here who is not present by the log that survived. */
  function missedBy(seat: Seat): void {
    const room = followed.room();
    if (!room.present.has(seat.userId) && !seat.leaving && !isOver(room)) tell.leftWhileHere(seat);
  }

  function sendFresh(): void {
    const events = followed.fresh();
    if (events.length === 0) return;
    for (let from = 0; from < events.length; ) {
      // Whom an event ends gets it as the last one, whatever comes in the same turn.
      const end = events.findIndex((event, index) => index >= from && expels(event));
      const together = events.slice(from, end === -1 ? events.length : end + 1);
      seats.send(together, followed.room(), followed.epoch());
      for (const event of together) follow(event);
      from += together.length;
    }
    tell.sent(events);
  }

  /** Whether it ends the stay of someone who has a socket here. */
  function expels(event: RecordedEvent): boolean {
    return endsWorkshop(event) || (event.type === 'user-removed' && seats.of(userOf(event)).length > 0);
  }

  function flush(): void {
    sendFresh();
    seatWaiting();
    // While someone waits to resume, what was promised stays.
    if (waiting.size === 0) followed.trim();
    if (isOver(followed.room())) empty();
  }

  /** What an event means for the sockets here. */
  function follow(event: RecordedEvent): void {
    if (endsWorkshop(event)) for (const seat of seats.all()) seats.remove(seat.socket.id);
    if (event.type !== 'user-removed' && event.type !== 'user-left') return;
    const userId = userOf(event);
    const here = seats.of(userId);
    const room = followed.room();
    if (event.type === 'user-removed') {
      for (const seat of here) seats.remove(seat.socket.id);
      tell.removed(userId);
    } else if (here.length > 0 && !room.present.has(userId) && !isOver(room)) {
      const staying = here.find((seat) => !seat.leaving);
      if (staying !== undefined) tell.leftWhileHere(staying);
    }
  }

  function seatWaiting(): void {
    if (waiting.size === 0 || followed.isReading()) return;
    const room = followed.room();
    const arrived = [...waiting.values()].filter(({ version }) => version <= room.version);
    const newcomers: Seat[] = [];
    const expelled: [Seat, RecordedEvent][] = [];
    for (const { seat, version, after, seated } of arrived) {
      waiting.delete(seat.socket.id);
      const removal = removalOf(seat.userId, version);
      const isOut = removal !== undefined || isRemoved(room, seat.userId);
      if (after === undefined) {
        newcomers.push(seat);
        if (removal !== undefined) expelled.push([seat, removal]);
      } else {
        // A removal is the last that who was removed gets.
        seats.sendTo(seat, followed.since(after.version, removal?.version) ?? [], room);
      }
      if (isOut) seat.socket.data.rooms.delete(id);
      else if (seat.socket.connected) {
        seats.add(seat);
        missedBy(seat);
      }
      seated();
    }
    sendState(newcomers);
    for (const [seat, removal] of expelled) seats.sendTo(seat, [removal], room);
  }

  /**
   * What ended the stay that began at `version`, also where the user was readmitted since: the socket is out until it joins
   * again. Of a stay of which nobody knows where it began (0) that is told by the room alone.
   */
  function removalOf(userId: number, version: number): RecordedEvent | undefined {
    if (version === 0 && !isRemoved(followed.room(), userId)) return undefined;
    const isSuch = (event: RecordedEvent) => event.type === 'user-removed' && userOf(event) === userId;
    return followed.last((event) => isSuch(event) && event.version > version);
  }

  function empty(): void {
    for (const seat of seats.all()) seats.remove(seat.socket.id);
    tell.over();
  }

  const hall: Hall = {
    id,
    seats,
    ready: followed.ready,
    version: () => followed.room().version,
    epoch: () => followed.epoch(),
    canResume: (after, version) =>
      followed.isPart(after.epoch, after.version, version) && followed.since(after.version) !== undefined,
    enter(seat, version, after) {
      return new Promise((seated) => {
        // Also who resumes waits for the own joining: a removal that came before it is none of this stay.
        waiting.set(seat.socket.id, { seat, version, after, seated });
        if (seatingSoon) return;
        seatingSoon = true;
        // Those who come in one turn of the loop share one state.
        setImmediate(() => {
          seatingSoon = false;
          flush();
        });
      });
    },
    leave(socketId) {
      const entry = waiting.get(socketId);
      waiting.delete(socketId);
      entry?.seated();
      const seat = seats.remove(socketId) ?? entry?.seat;
      return seat !== undefined && !hall.has(seat.userId);
    },
    isPresent: (userId) => followed.room().present.has(userId),
    isEmpty: () => seats.size === 0 && waiting.size === 0,
    has: (userId) =>
      seats.of(userId).length > 0 || [...waiting.values()].some(({ seat }) => seat.userId === userId),
    users: () => [
      ...new Set(
        [...seats.all(), ...[...waiting.values()].map(({ seat }) => seat)].map((seat) => seat.userId),
      ),
    ],
    hasOther: (userId, socketId) =>
      [...seats.of(userId), ...[...waiting.values()].map(({ seat }) => seat)].some(
        (seat) => seat.userId === userId && seat.socket.id !== socketId && !seat.leaving,
      ),
    page: (after, limit) => attendeesPage(followed.room(), after, limit),
    take: (entry) => followed.take(entry),
    flush() {
      if (!followed.isReading()) flush();
    },
    compare: () => followed.compare(),
  };
  return hall;
}

function endsWorkshop(event: RecordedEvent): boolean {
  if (event.type !== 'state-changed') return false;
  const { status } = event.data as { status: Status };
  return status === 'ended' || status === 'cancelled';
}

function userOf(event: RecordedEvent): number {
  return (event.data as { userId: number }).userId;
}

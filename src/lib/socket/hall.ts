/**
 * One room as this node shows it: folded from the tail of the log and from nothing else, so that everything that its
 * sockets get – state, events, what a resume missed – is one gap-free run of versions.
 *
 * A socket is either waiting (its join is acknowledged, the tail has not come that far) or seated (it has everything up to
 * the room's version and gets what follows). Seating and sending happen in one turn of the loop: no event falls between.
 *
 *   join ─► waiting ──(the tail reaches its version)──► seated ──(leave, drop, removal, end)──► gone
 */
import { evolve, type RecordedEvent } from '../../domain/evolve.ts';
import { emptyRoom, isOver, isRemoved, type Room, type Status } from '../../domain/room.ts';
import { type EventLog, type FeedEntry, type HeadWithPast, isPart, readAll } from '../../log/log.ts';
import { attendeesPage, stateView } from '../../protocol/wire.ts';
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
  /** The log has no stream of a workshop that is under way. Resolves once it was put back, or can't be. */
  missing(): Promise<void>;
  failed(error: unknown): void;
  sent(events: readonly RecordedEvent[]): void;
}

/** Events kept for resumes, at least. */
const kept = 1_024;

interface Waiting {
  seat: Seat;
  version: number;
  after: ResumePoint | undefined;
  seated(): void;
}

export function hallOf(nsp: WorkshopNamespace, log: EventLog, id: number, tell: HallEvents): Hall {
  const seats = seatsOf(nsp, id);
  const waiting = new Map<string, Waiting>();
  const queue: FeedEntry[] = [];
  let room: Room = emptyRoom(id);
  let epoch = '';
  /** Past epochs, and where each ended. */
  let past: ReadonlyMap<string, number> = new Map();
  /** The last events, the newest at the end. */
  let recent: RecordedEvent[] = [];
  /** Applied and not yet sent. */
  let fresh: RecordedEvent[] = [];
  /** Reading the log: what the feed brings meanwhile waits in the queue. */
  let reading: Promise<void> | null = null;
  let seatingSoon = false;

  function apply(events: readonly RecordedEvent[]): void {
    for (const event of events) {
      if (event.version <= room.version) continue;
      evolve(room, event);
      recent.push(event);
      fresh.push(event);
    }
  }

  function trim(): void {
    // While someone waits to resume, what was promised stays.
    if (recent.length > 2 * kept && waiting.size === 0) recent = recent.slice(-kept);
  }

  async function load(): Promise<void> {
    const head = await log.head(id);
    room = emptyRoom(id);
    recent = [];
    fresh = [];
    begin(head);
    for await (const page of readAll(log, id)) {
      apply(page);
      fresh = [];
      trim();
    }
  }

  function begin(head: HeadWithPast | null): void {
    epoch = head?.epoch ?? '';
    past = head?.past ?? new Map();
  }

  /** Runs something that reads the log, one at a time and until it succeeds; then goes on with the queue. */
  function read(work: () => Promise<void>): Promise<void> {
    reading ??= insist(work).then(() => {
      reading = null;
      pump();
      flush();
    });
    return reading;
  }

  async function insist(work: () => Promise<void>): Promise<void> {
    for (let wait = 50; ; wait = Math.min(2 * wait, 1_000)) {
      try {
        return await work();
      } catch (error) {
        tell.failed(error);
        await new Promise((resolve) => setTimeout(resolve, wait));
      }
    }
  }

  function pump(): void {
    while (queue.length > 0 && reading === null) {
      const entry = queue[0];
      if (entry === undefined) return;
      if (entry.epoch !== epoch) {
        void read(followOn);
        return;
      }
      if (entry.from > room.version + 1) {
        void read(fill);
        return;
      }
      queue.shift();
      // Whoever waits for what is here already gets the state before the next events, and those as events.
      if (waiting.size > 0) flush();
      if (entry.to > room.version) apply(entry.events());
    }
  }

  async function fill(): Promise<void> {
    for await (const page of readAll(log, id, room.version)) apply(page);
  }

  /** Whether the log still holds what this room was folded from. */
  async function isOurs(version: number): Promise<boolean> {
    const last = recent.at(-1);
    if (version < room.version) return false;
    if (last === undefined) return true;
    const [there] = await log.read(id, last.version - 1, 1);
    return there?.eventId === last.eventId;
  }

  /** Another epoch, or a feed that lost track: goes on where nothing of this room is lost, and starts anew where it is. */
  async function followOn(): Promise<void> {
    let head = await log.head(id);
    if (head === null && room.version > 0 && !isOver(room)) {
      // The stream is gone. Whoever reads the workshop puts it back from where it is kept, if it is kept anywhere.
      await tell.missing();
      head = await log.head(id);
    }
    // What is not there at all is not this node's to judge.
    if (head === null) return void skipTo(epoch);
    if (!(await isOurs(head.version))) {
      if (head.epoch === epoch) await log.newEpoch(id, epoch);
      return reset();
    }
    const changed = head.epoch !== epoch;
    begin(head);
    skipTo(epoch);
    await fill();
    if (!changed) return;
    // Batches tell of the epoch themselves, so that a large room need not get its state for nothing.
    sendFresh();
    const single = seats.all().filter(({ mode }) => mode === 'single');
    seats.sendState(single, stateView(room, epoch));
  }

  /** Entries of other epochs than the log's present one are of no use any more. */
  function skipTo(present: string): void {
    while (queue.length > 0 && queue[0]?.epoch !== present) queue.shift();
  }

  /** The log lost events or is another one: everyone gets the room as it is there. */
  async function reset(): Promise<void> {
    await load();
    skipTo(epoch);
    for (const entry of waiting.values()) Object.assign(entry, { version: 0, after: undefined });
    seats.sendState(seats.all(), stateView(room, epoch));
    for (const seat of seats.all()) missedBy(seat);
  }

  /** Someone with a socket here who is not present by the log that survived. */
  function missedBy(seat: Seat): void {
    if (!room.present.has(seat.userId) && !seat.leaving && !isOver(room)) tell.leftWhileHere(seat);
  }

  function sendFresh(): void {
    const events = fresh;
    fresh = [];
    if (events.length === 0) return;
    for (let from = 0; from < events.length; ) {
      // Whom an event ends gets it as the last one, whatever comes in the same turn.
      const end = events.findIndex((event, index) => index >= from && expels(event));
      const together = events.slice(from, end === -1 ? events.length : end + 1);
      seats.send(together, room, epoch);
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
    trim();
    if (isOver(room)) empty();
  }

  /** What an event means for the sockets here. */
  function follow(event: RecordedEvent): void {
    if (endsWorkshop(event)) for (const seat of seats.all()) seats.remove(seat.socket.id);
    if (event.type !== 'user-removed' && event.type !== 'user-left') return;
    const userId = userOf(event);
    const here = seats.of(userId);
    if (event.type === 'user-removed') {
      for (const seat of here) seats.remove(seat.socket.id);
      tell.removed(userId);
    } else if (here.length > 0 && !room.present.has(userId) && !isOver(room)) {
      const staying = here.find((seat) => !seat.leaving);
      if (staying !== undefined) tell.leftWhileHere(staying);
    }
  }

  function seatWaiting(): void {
    if (waiting.size === 0 || reading !== null) return;
    const arrived = [...waiting.values()].filter(({ version }) => version <= room.version);
    const newcomers: Seat[] = [];
    const expelled: [Seat, RecordedEvent][] = [];
    for (const { seat, after, seated } of arrived) {
      waiting.delete(seat.socket.id);
      const isOut = isRemoved(room, seat.userId);
      const removal = isOut ? removalOf(seat.userId) : undefined;
      if (after === undefined) {
        newcomers.push(seat);
        if (removal !== undefined) expelled.push([seat, removal]);
      } else {
        // A removal is the last that who was removed gets.
        const end = removal === undefined ? recent.length : indexAfter(removal.version);
        seats.sendTo(seat, recent.slice(indexAfter(after.version), end), room);
      }
      if (isOut) seat.socket.data.rooms.delete(id);
      else if (seat.socket.connected) {
        seats.add(seat);
        missedBy(seat);
      }
      seated();
    }
    seats.sendState(newcomers, stateView(room, epoch));
    for (const [seat, removal] of expelled) seats.sendTo(seat, [removal], room);
  }

  function removalOf(userId: number): RecordedEvent | undefined {
    return recent.findLast((event) => event.type === 'user-removed' && userOf(event) === userId);
  }

  function indexAfter(version: number): number {
    const first = recent[0]?.version ?? room.version + 1;
    return version + 1 - first;
  }

  function empty(): void {
    for (const seat of seats.all()) seats.remove(seat.socket.id);
    tell.over();
  }

  const hall: Hall = {
    id,
    seats,
    ready: read(load),
    version: () => room.version,
    epoch: () => epoch,
    canResume: (after, version) =>
      isPart({ version, epoch, past }, after.epoch, after.version) && indexAfter(after.version) >= 0,
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
    isPresent: (userId) => room.present.has(userId),
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
    page: (after, limit) => attendeesPage(room, after, limit),
    take(entry) {
      queue.push(entry);
      pump();
    },
    flush() {
      if (reading === null) flush();
    },
    async compare() {
      // What is being read now may have begun before the feed lost track.
      while (reading !== null) await reading;
      await read(followOn);
    },
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

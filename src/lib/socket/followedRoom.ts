/**
 * A room folded from the tail of the log and from nothing else, with its last events at hand. Entries of the feed that do not
 * follow on what is there – a gap, another epoch – make it read the log itself; what comes meanwhile waits.
 *
 *   following ──(a gap, another epoch, a feed that lost track)──► reading ──► following
 *                                                                    └─(events were lost)─► starts anew
 */
import { evolve, type RecordedEvent } from '../../domain/evolve.ts';
import { emptyRoom, isOver, type Room } from '../../domain/room.ts';
import { type EventLog, type FeedEntry, type HeadWithPast, isPart, readAll } from '../../log/log.ts';

export interface FollowedRoom {
  /** Changed in place, and another one after a loss: ask for it each time. */
  room(): Room;
  epoch(): string;
  /** Resolves once the room is folded up to where the log was when this began. */
  ready: Promise<void>;
  /** While the log is being read the room stands still or is in the middle of something. */
  isReading(): boolean;
  /** The next append, from the feed. */
  take(entry: FeedEntry): void;
  /** The feed lost track: compares with the log itself. */
  compare(): Promise<void>;
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

/** Events kept for resumes, at least. */
const kept = 1_024;

export function followedRoom(log: EventLog, id: number, tell: RoomChanges): FollowedRoom {
  const queue: FeedEntry[] = [];
  let room: Room = emptyRoom(id);
  let epoch = '';
  /** Past epochs, and where each ended. */
  let past: HeadWithPast['past'] = new Map();
  /** The last events, the newest at the end. */
  let recent: RecordedEvent[] = [];
  /** Applied and not yet asked for. */
  let fresh: RecordedEvent[] = [];
  let reading: Promise<void> | null = null;

  function apply(events: readonly RecordedEvent[]): void {
    for (const event of events) {
      if (event.version <= room.version) continue;
      evolve(room, event);
      recent.push(event);
      fresh.push(event);
    }
  }

  function trim(): void {
    if (recent.length > 2 * kept) recent = recent.slice(-kept);
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
      tell.followsAgain();
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
      if (entry.epoch !== epoch) return void read(followOn);
      if (entry.from > room.version + 1) return void read(fill);
      queue.shift();
      tell.before();
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
    let known: Readonly<Room> | undefined;
    if (head === null && room.version > 0 && !isOver(room)) {
      // The stream is gone. Whoever reads the workshop puts it back from where it is kept, if it is kept anywhere.
      known = await tell.missing();
      head = await log.head(id);
    }
    if (head === null && known !== undefined && isOver(known)) {
      // A copy: whose it is may change it.
      room = structuredClone(known);
      recent = [];
      fresh = [];
      begin(null);
      skipTo(epoch);
      return tell.startedAnew();
    }
    // What is not there at all is not this node's to judge.
    if (head === null) return skipTo(epoch);
    // Also where all of it is there the events may have been written anew: an epoch whose end nobody knows counts for nothing.
    const isWhole = head.epoch === epoch || isPart(head, epoch, room.version);
    if (!isWhole || !(await isOurs(head.version))) {
      if (head.epoch === epoch) await log.newEpoch(id, epoch);
      await load();
      skipTo(epoch);
      return tell.startedAnew();
    }
    const changed = head.epoch !== epoch;
    begin(head);
    skipTo(epoch);
    await fill();
    if (changed) tell.epochBegan();
  }

  /** Entries of other epochs than the log's present one are of no use any more. */
  function skipTo(present: string): void {
    while (queue.length > 0 && queue[0]?.epoch !== present) queue.shift();
  }

  const indexAfter = (version: number) => version + 1 - (recent[0]?.version ?? room.version + 1);

  return {
    room: () => room,
    epoch: () => epoch,
    ready: read(load),
    isReading: () => reading !== null,
    take(entry) {
      queue.push(entry);
      pump();
    },
    async compare() {
      // What is being read now may have begun before the feed lost track.
      while (reading !== null) await reading;
      await read(followOn);
    },
    fresh() {
      const events = fresh;
      fresh = [];
      return events;
    },
    since(version, until = room.version) {
      const first = indexAfter(version);
      return first < 0 ? undefined : recent.slice(first, indexAfter(until));
    },
    isPart: (seenIn, version, now) => isPart({ version: now, epoch, past }, seenIn, version),
    last: (isSuch) => recent.findLast(isSuch),
    trim,
  };
}

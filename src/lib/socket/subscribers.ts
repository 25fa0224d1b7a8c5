/**
 * The sockets of one room on this node, and how an event reaches each: single messages, batches, or batches without the
 * coming and going of others. What goes to many is encoded once, and written to each.
 */
import type { RecordedEvent } from '../../domain/evolve.ts';
import type { Room } from '../../domain/room.ts';
import {
  type EventBatch,
  type LooseEvent,
  type StateView,
  wireEvent,
  wireName,
} from '../../protocol/wire.ts';
import { burst, type Message, type Sending } from './frames.ts';
import type { WorkshopSocket } from './socket.ts';

export type Mode = 'single' | 'batch' | 'lean';

/** A socket in the room; outside of it there is none. */
export interface Subscriber {
  readonly socket: WorkshopSocket;
  readonly userId: number;
  readonly mode: Mode;
  /** `leaving`: its own leaving is under way, and the user's `user-left` then no mistake. */
  stage: Joining | { is: 'subscribed' } | { is: 'leaving' };
}

/** Its join is acknowledged at `version`, and the tail has not come that far: it gets nothing yet. */
export interface Joining {
  is: 'joining';
  version: number;
  /** It has everything up to here; undefined where it gets the state. */
  after: number | undefined;
  /** Told when it is subscribed, or out again. */
  done(): void;
}

export interface Subscribers extends Members {
  /** Events that follow on what the subscribed ones have, and the epoch that they belong to. */
  send(events: readonly RecordedEvent[], room: Room, epoch: string): void;
  /** Events to one socket alone. */
  sendTo(subscriber: Subscriber, events: readonly RecordedEvent[], room: Room): void;
  /** The same state to many, encoded once. */
  sendState(to: readonly Subscriber[], state: StateView): void;
}

export interface Members {
  /** All of them, and those of a user, whatever their stage. */
  all(): Subscriber[];
  of(userId: number): Subscriber[];
  get(socketId: string): Subscriber | undefined;
  isEmpty(): boolean;
  /** Those that get what is sent, or those of them that are the user's. */
  subscribed(userId?: number): Subscriber[];
  /** Those whose stage is `joining`. */
  readonly joining: ReadonlySet<Subscriber>;
  add(subscriber: Subscriber): void;
  /** From here on it gets what is sent. */
  subscribe(subscriber: Subscriber): void;
  remove(socketId: string): Subscriber | undefined;
}

/** Events to one frame at most. */
const maxFrame = 500;
const comings: readonly string[] = ['user-joined', 'user-left'];

export function subscribersOf(workshopId: number): Subscribers {
  const sockets = new Map<string, Subscriber>();
  /** How many are subscribed in each form. */
  const count: Record<Mode, number> = { single: 0, batch: 0, lean: 0 };
  const members = membersOf(workshopId, sockets, count);
  /** The epoch that all the subscribed ones know of. */
  let announced: string | undefined;

  return {
    ...members,
    send(events, room, epoch) {
      // Whoever was subscribed since the last change has it from the state, or from the acknowledgement.
      const begun = epoch === announced ? {} : { epoch };
      announced = epoch;
      if (sockets.size === members.joining.size || events.length === 0) return;
      const wire = events.map((event) => wireEvent(event, room));
      // Each form is encoded once, if anybody gets it.
      const send: Record<Mode, Sending> = {
        single: burst(count.single > 0 ? messages(workshopId, wire) : []),
        batch: burst(count.batch > 0 ? batches(frames(workshopId, wire), begun) : []),
        lean: burst(count.lean > 0 ? batches(leanFrames(wire, room, 0), begun) : []),
      };
      const coming = count.lean > 0 ? comingIn(wire) : nobody;
      for (const { mode, stage, socket, userId } of sockets.values()) {
        if (stage.is === 'joining') continue;
        if (mode === 'lean' && coming.has(userId))
          burst(batches(leanFrames(wire, room, userId), begun))(socket);
        else send[mode](socket);
      }
    },
    sendTo({ mode, socket, userId }, events, room) {
      const wire = events.map((event) => wireEvent(event, room));
      if (mode === 'single') return burst(messages(workshopId, wire))(socket);
      const made = mode === 'batch' ? frames(workshopId, wire) : leanFrames(wire, room, userId);
      burst(batches(made))(socket);
    },
    sendState(to, state) {
      announced ??= state.epoch;
      const send = burst([[wireName('state'), state]]);
      for (const { socket } of to) send(socket);
    },
  };
}

const nobody: ReadonlySet<number> = new Set();

/** Who is in the room with which socket, by `sockets`, and how many of each form get what is sent, by `count`. */
function membersOf(
  workshopId: number,
  sockets: Map<string, Subscriber>,
  count: Record<Mode, number>,
): Members {
  const byUser = new Map<number, Set<Subscriber>>();
  const joining = new Set<Subscriber>();

  function of(userId: number): Subscriber[] {
    return [...(byUser.get(userId) ?? [])];
  }

  function remove(socketId: string): Subscriber | undefined {
    const subscriber = sockets.get(socketId);
    if (subscriber === undefined) return undefined;
    const { socket, userId, mode } = subscriber;
    sockets.delete(socketId);
    if (!joining.delete(subscriber)) count[mode]--;
    const others = byUser.get(userId);
    others?.delete(subscriber);
    if (others?.size === 0) byUser.delete(userId);
    socket.leave(roomOf(workshopId));
    socket.data.rooms.delete(workshopId);
    return subscriber;
  }

  return {
    all: () => [...sockets.values()],
    of,
    get: (socketId) => sockets.get(socketId),
    isEmpty: () => sockets.size === 0,
    subscribed(userId) {
      const found = userId === undefined ? [...sockets.values()] : of(userId);
      return found.filter((each) => !joining.has(each));
    },
    joining,
    add(subscriber) {
      const { socket, userId } = subscriber;
      remove(socket.id);
      sockets.set(socket.id, subscriber);
      joining.add(subscriber);
      byUser.set(userId, (byUser.get(userId) ?? new Set()).add(subscriber));
      socket.data.rooms.add(workshopId);
    },
    subscribe(subscriber) {
      joining.delete(subscriber);
      subscriber.stage = { is: 'subscribed' };
      count[subscriber.mode]++;
      subscriber.socket.join(roomOf(workshopId));
    },
    remove,
  };
}

/** Socket.IO's room of those who are subscribed. */
function roomOf(workshopId: number): string {
  return `workshop:${workshopId}`;
}

/** Event by event, for those who do not take batches. */
function messages(workshopId: number, wire: readonly LooseEvent[]): Message[] {
  return wire.map(({ type, ...rest }) => [wireName(type), { ...rest, workshopId }]);
}

function batches(made: readonly EventBatch[], begun: { epoch?: string } = {}): Message[] {
  return made.map((frame) => [wireName('events'), { ...frame, ...begun }]);
}

function frames(workshopId: number, wire: readonly LooseEvent[]): EventBatch[] {
  const made: EventBatch[] = [];
  for (let first = 0; first < wire.length; first += maxFrame) {
    const events = wire.slice(first, first + maxFrame);
    made.push({ workshopId, from: events[0]?.version ?? 0, to: events.at(-1)?.version ?? 0, events });
  }
  return made;
}

/** Without the coming and going of anyone but `self`; `from` and `to` tell what was looked at. */
function leanFrames(wire: readonly LooseEvent[], room: Room, self: number): EventBatch[] {
  return frames(room.id, wire).map((frame) => ({
    ...frame,
    events: frame.events.filter((event) => !isComing(event) || event.userId === self),
    attendeeCount: room.present.size,
  }));
}

function comingIn(wire: readonly LooseEvent[]): Set<number> {
  return new Set(wire.filter(isComing).map(({ userId }) => Number(userId)));
}

function isComing({ type }: LooseEvent): boolean {
  return comings.includes(type);
}

/**
 * The sockets of one room on this node, and how an event reaches each: single messages, batches, or batches without the
 * coming and going of others. What goes to many is encoded once: as a burst, or by emitting to a Socket.IO room of this node
 * alone.
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
import { burst, type Message } from './burst.ts';
import type { WorkshopNamespace, WorkshopSocket } from './session.ts';

export type Mode = 'single' | 'batch' | 'lean';

export interface Seat {
  socket: WorkshopSocket;
  userId: number;
  mode: Mode;
  /** The socket's own leaving is under way: the user's `user-left` is then no mistake. */
  leaving: boolean;
}

export interface Seats {
  readonly size: number;
  add(seat: Seat): void;
  remove(socketId: string): Seat | undefined;
  get(socketId: string): Seat | undefined;
  of(userId: number): Seat[];
  all(): Seat[];
  /** Events that follow on what the seats have, and the epoch that they belong to. */
  send(events: readonly RecordedEvent[], room: Room, epoch: string): void;
  /** Events to one seat alone. */
  sendTo(seat: Seat, events: readonly RecordedEvent[], room: Room): void;
  /** The same state to many, encoded once. */
  sendState(seats: readonly Seat[], state: StateView): void;
}

/** Events to one frame at most. */
const maxFrame = 500;
const comings: readonly string[] = ['user-joined', 'user-left'];

export function seatsOf(nsp: WorkshopNamespace, workshopId: number): Seats {
  const seats = new Map<string, Seat>();
  const byUser = new Map<number, Set<Seat>>();
  const count: Record<Mode, number> = { single: 0, batch: 0, lean: 0 };
  const everyone = `workshop:${workshopId}`;
  const roomOf = (mode: Mode) => `${everyone}:${mode}`;
  /** The epoch that everyone seated knows of. */
  let told: string | undefined;

  function emit(target: string | string[], name: string, payload: unknown): void {
    nsp.local.to(target).emit(name, payload);
  }

  function remove(socketId: string): Seat | undefined {
    const seat = seats.get(socketId);
    if (seat === undefined) return undefined;
    seats.delete(socketId);
    count[seat.mode]--;
    const others = byUser.get(seat.userId);
    others?.delete(seat);
    if (others?.size === 0) byUser.delete(seat.userId);
    seat.socket.leave(everyone);
    seat.socket.leave(roomOf(seat.mode));
    seat.socket.data.rooms.delete(workshopId);
    return seat;
  }

  function sendLean(wire: readonly LooseEvent[], room: Room, begun: { epoch?: string }): void {
    const own = new Set(wire.filter(isComing).map(({ userId }) => Number(userId)));
    const apart = [...own].flatMap((userId) => of(userId)).filter((seat) => seat.mode === 'lean');
    const framesFor = (self: number) => leanFrames(wire, room, self).map((frame) => ({ ...frame, ...begun }));
    let target = nsp.local.to(roomOf('lean'));
    for (const seat of apart) target = target.except(seat.socket.id);
    for (const frame of framesFor(0)) target.emit(wireName('events'), frame);
    for (const seat of apart)
      for (const frame of framesFor(seat.userId)) emit(seat.socket.id, wireName('events'), frame);
  }

  function message({ type, ...rest }: LooseEvent): Message {
    return [wireName(type), { ...rest, workshopId }];
  }

  function of(userId: number): Seat[] {
    return [...(byUser.get(userId) ?? [])];
  }

  return {
    get size() {
      return seats.size;
    },
    add(seat) {
      remove(seat.socket.id);
      seats.set(seat.socket.id, seat);
      count[seat.mode]++;
      const others = byUser.get(seat.userId) ?? new Set();
      byUser.set(seat.userId, others.add(seat));
      seat.socket.join([everyone, roomOf(seat.mode)]);
      seat.socket.data.rooms.add(workshopId);
    },
    remove,
    get: (socketId) => seats.get(socketId),
    of,
    all: () => [...seats.values()],
    send(events, room, epoch) {
      // Whoever was seated since the last change has it from the state, or from the acknowledgement.
      const begun = epoch === told ? {} : { epoch };
      told = epoch;
      if (seats.size === 0 || events.length === 0) return;
      const wire = events.map((event) => wireEvent(event, room));
      if (count.batch > 0)
        for (const frame of frames(workshopId, wire))
          emit(roomOf('batch'), wireName('events'), { ...frame, ...begun });
      if (count.single > 0) {
        const send = burst(wire.map(message));
        for (const { mode, socket } of seats.values()) if (mode === 'single') send(socket);
      }
      if (count.lean > 0) sendLean(wire, room, begun);
    },
    sendTo(seat, events, room) {
      const wire = events.map((event) => wireEvent(event, room));
      const { id } = seat.socket;
      if (seat.mode === 'single') burst(wire.map(message))(seat.socket);
      else {
        const made = seat.mode === 'batch' ? frames(workshopId, wire) : leanFrames(wire, room, seat.userId);
        for (const frame of made) emit(id, wireName('events'), frame);
      }
    },
    sendState(targets, state) {
      if (targets.length === 0) return;
      told ??= state.epoch;
      emit(
        targets.map((seat) => seat.socket.id),
        wireName('state'),
        state,
      );
    },
  };
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

function isComing({ type }: LooseEvent): boolean {
  return comings.includes(type);
}

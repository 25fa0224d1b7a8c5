/** One person of the script with their devices: a connection of our own client for each, and REST. */
import { v4 as uuid } from 'uuid';
import {
  type Connection,
  type Follower,
  followerOf,
  type Reply,
  workshopConnection,
} from '../client/workshopClient.ts';
import { wireError } from '../protocol/errors.ts';
import type { LooseEvent } from '../protocol/wire.ts';
import type { Act } from './acts.ts';
import type { Patience } from './patience.ts';
import type { Ticket } from './tickets.ts';

export interface PlayerParts {
  url: string;
  ticket: Ticket;
  workshopId: number;
  patience: Patience;
  /** An event arrived on one of the devices; each event once on each. */
  heard(device: number, event: LooseEvent): void;
}

export interface Player {
  join(device: number): Promise<Reply>;
  leave(device: number): Promise<Reply>;
  /** Breaks the connection, as a tunnel does; it is not there again before `comeBack`. */
  cut(device: number): Reply;
  comeBack(device: number): Promise<Reply>;
  /** A command over the first device that is in the room. */
  send(name: Act['name'], payload: Record<string, unknown>): Promise<Reply>;
  /** Whether devices should have a connection and none has. */
  readonly isCutOff: boolean;
  /** In the room with a device that is connected, as far as it knows. */
  readonly isInside: boolean;
  close(): Promise<void>;
}

interface Seat {
  connection: Connection;
  follower: Follower;
  /** Cut off on purpose. */
  isCut: boolean;
}

const nothing: Reply = { ok: true, version: 0, changed: false };
const nowhere: Reply = { ok: false, error: wireError('not_joined') };

export function player({ url, ticket, workshopId, patience, heard }: PlayerParts): Player {
  const seats = new Map<number, Seat>();

  function seatAt(device: number): Seat {
    const known = seats.get(device);
    if (known !== undefined) return known;
    const connection = workshopConnection({ url, token: ticket.token });
    const follower = followerOf(connection.socket, workshopId);
    follower.onEvent((event) => heard(device, event));
    connection.open();
    const seat = { connection, follower, isCut: false };
    seats.set(device, seat);
    return seat;
  }

  /** The client goes on by itself where a refusal may pass: then the first answer is not the last one. */
  function enter({ follower }: Seat): Promise<Reply> {
    return patience.ask(() => follower.join());
  }

  return {
    join: (device) => enter(seatAt(device)),
    async leave(device) {
      const seat = seats.get(device);
      if (seat === undefined) return nowhere;
      const reply = await seat.follower.leave();
      await seat.connection.close();
      seats.delete(device);
      return reply;
    },
    cut(device) {
      const seat = seats.get(device);
      if (seat === undefined) return nowhere;
      const { io } = seat.connection.socket;
      seat.isCut = true;
      io.reconnection(false);
      io.engine.close();
      return nothing;
    },
    comeBack(device) {
      const seat = seats.get(device);
      if (seat === undefined) return Promise.resolve(nowhere);
      seat.isCut = false;
      seat.connection.socket.io.reconnection(true);
      const entered = enter(seat);
      seat.connection.retryNow();
      return entered;
    },
    send(name, payload) {
      const all = [...seats.values()];
      const seat = all.find(({ follower }) => follower.snapshot().phase === 'inside') ?? all[0];
      if (seat === undefined) return Promise.resolve(nowhere);
      // Under one id however often it is asked: it is done once.
      const once = { commandId: uuid(), ...payload };
      return patience.ask(() => seat.follower.send(name, once));
    },
    get isCutOff() {
      const wanted = [...seats.values()].filter(({ isCut }) => !isCut);
      return wanted.length > 0 && wanted.every(({ connection }) => !connection.snapshot().connected);
    },
    get isInside() {
      return [...seats.values()].some(({ follower }) => follower.snapshot().phase === 'inside');
    },
    async close() {
      await Promise.all([...seats.values()].map(({ connection }) => connection.close()));
      seats.clear();
    },
  };
}

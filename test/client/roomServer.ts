/**
 * A server that speaks the contract over real sockets with the real domain and a log in memory, and that can be told to
 * misbehave at a chosen moment: to cut a connection before an acknowledgement, to lose an event, to forget what is past.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Namespace, Server, type Socket } from 'socket.io';
import { type CommandName, commandOf, isCommandName } from '../../src/domain/catalog.ts';
import { decide } from '../../src/domain/decide.ts';
import type { Actor, User } from '../../src/domain/define.ts';
import { type ErrorCode, type WireError, wireError } from '../../src/protocol/errors.ts';
import { attendeesPage, type Reply, stateView, wireEvent } from '../../src/protocol/wire.ts';
import { history, person } from './histories.ts';

export interface Received {
  userId: number;
  name: string;
  payload: {
    workshopId?: number;
    commandId?: string;
    after?: { version: number; epoch: string };
    token?: string;
  };
}

/** What happens to the next command of a name. */
type Mishap =
  /** It is done, and the connection breaks before the acknowledgement. */
  | 'cut-before-answer'
  /** The connection breaks before it is done. */
  | 'cut-before-doing'
  /** It is done and never acknowledged. */
  | 'no-answer'
  /** It is refused with that code. */
  | ErrorCode;

interface Subscription {
  socket: Socket;
  userId: number;
  batch: boolean;
  /** The last version that was sent. */
  sent: number;
}

export interface Workshop extends ReturnType<typeof history> {
  epoch: string;
  /** Epochs whose events the log still holds, up to the version that a client may resume from. */
  past: Map<string, number>;
  subscriptions: Map<Socket, Subscription>;
  /** Versions that are never sent. */
  lost: Set<number>;
  done: Map<string, Reply>;
}

export type RoomServer = Awaited<ReturnType<typeof roomServer>>;

export interface RoomServerOptions {
  /** Attendees in a state and in a page. */
  listed?: number;
  port?: number;
}

export async function roomServer({ listed = 500, port: wished = 0 }: RoomServerOptions = {}) {
  const http = createServer();
  let upgrades = 0;
  http.on('upgrade', () => upgrades++);
  const io = new Server(http, { pingInterval: 5_000 });
  const namespace = io.of('/workshop');
  const workshops = new Map<number, Workshop>();
  const received: Received[] = [];
  const mishaps = new Map<string, Mishap[]>();
  let beforePage: (() => void) | undefined;
  const handshakes: { userId: number | null; protocol: unknown }[] = [];

  namespace.use((socket, next) => {
    const user = userOf(socket.handshake.auth.token);
    handshakes.push({ userId: user?.userId ?? null, protocol: socket.handshake.auth.protocol });
    if (user === null) return next(new Error('unauthenticated'));
    socket.data.user = user;
    next();
  });

  namespace.on('connection', (socket) => {
    const user = userFrom(socket);
    socket.onAny((event: string, payload: Received['payload'], answer?: (reply: unknown) => void) => {
      const name = event.slice('workshop:'.length);
      received.push({ userId: user.userId, name, payload });
      handle(socket, name, payload, answer ?? (() => {}));
    });
    socket.on('disconnect', () => {
      for (const workshop of workshops.values()) leave(workshop, socket, 'disconnected');
    });
  });

  function handle(
    socket: Socket,
    name: string,
    payload: Received['payload'],
    answer: (reply: unknown) => void,
  ) {
    const mishap = mishaps.get(name)?.shift();
    if (mishap === 'cut-before-doing') return socket.conn.close();
    if (mishap !== undefined && mishap !== 'cut-before-answer' && mishap !== 'no-answer')
      return answer({ ok: false, error: wireError(mishap) });
    if (name === 'authenticate') return answer(authenticate(socket, payload));
    const workshop = workshops.get(payload.workshopId ?? 0);
    if (workshop === undefined) return answer({ ok: false, error: wireError('not_found') });
    if (name === 'attendees') {
      const found = page(workshop, payload);
      const meanwhile = beforePage;
      beforePage = undefined;
      meanwhile?.();
      return answer(found);
    }
    const reply = run(workshop, socket, name, payload);
    if (mishap === 'cut-before-answer') socket.conn.close();
    else if (mishap !== 'no-answer') answer(reply);
    if (name === 'join' && reply.ok && mishap === undefined)
      follow(workshop, socket, payload, reply.resumed === true);
    broadcast(workshop);
  }

  function run(workshop: Workshop, socket: Socket, name: string, payload: Received['payload']): Reply {
    const user = userFrom(socket);
    if (!isCommandName(name)) return { ok: false, error: wireError('unknown_command') };
    if (name === 'leave') return leave(workshop, socket, 'left');
    const key = `${user.userId} ${payload.commandId}`;
    const before = name === 'join' ? undefined : workshop.done.get(key);
    if (before !== undefined) return before;
    const outcome = perform(workshop, name, user, payload);
    if (outcome.ok && outcome.changed && payload.commandId !== undefined) workshop.done.set(key, outcome);
    if (!outcome.ok || name !== 'join') return outcome;
    const { epoch } = workshop;
    const { after } = payload;
    const end = workshop.past.get(after?.epoch ?? '') ?? -1;
    const resumed = after !== undefined && (after.epoch === epoch || after.version <= end);
    return { ...outcome, epoch, resumed, userId: user.userId };
  }

  function perform(workshop: Workshop, name: CommandName, actor: Actor, payload: unknown): Reply {
    const { room } = workshop;
    const parsed = commandOf(name).payload.safeParse(payload);
    if (!parsed.success) return { ok: false, error: wireError('invalid_payload') };
    const decision = decide(room, { name, payload: parsed.data, actor });
    if (decision.kind === 'refused') return { ok: false, error: wireError(decision.code) };
    const changed = workshop.attempt(name, actor, payload, 5);
    return { ok: true, version: room.version, changed };
  }

  function follow(workshop: Workshop, socket: Socket, payload: Received['payload'], resumed: boolean) {
    const { batch } = commandOf('join').payload.parse(payload) as { batch: boolean };
    const { room, epoch } = workshop;
    const sent = resumed ? (payload.after?.version ?? 0) : room.version;
    workshop.subscriptions.set(socket, { socket, userId: userFrom(socket).userId, batch, sent });
    if (!resumed) socket.emit('workshop:state', stateView(room, epoch, listed));
  }

  function leave(workshop: Workshop, socket: Socket, reason: 'left' | 'disconnected'): Reply {
    const own = workshop.subscriptions.get(socket);
    if (own === undefined) return { ok: false, error: wireError('not_joined') };
    workshop.subscriptions.delete(socket);
    const others = [...workshop.subscriptions.values()].some(({ userId }) => userId === own.userId);
    // As if the time of grace were endless: who drops stays present, so that tests decide who leaves.
    if (others || reason === 'disconnected')
      return { ok: true, version: workshop.room.version, changed: false };
    const reply = perform(workshop, 'leave', userFrom(socket), {});
    broadcast(workshop);
    return reply;
  }

  /** Sends every subscriber what follows on what it has, and ends the subscriptions that the events end. */
  function broadcast(workshop: Workshop) {
    const { room, events, subscriptions } = workshop;
    for (const subscription of [...subscriptions.values()]) {
      const { socket, batch, sent, userId } = subscription;
      const fresh = events
        .slice(sent)
        .filter((event) => !workshop.lost.has(event.version))
        .map((event) => wireEvent(event, room));
      subscription.sent = room.version;
      const [first] = fresh;
      if (first === undefined) continue;
      const workshopId = room.id;
      if (batch)
        socket.emit('workshop:events', { workshopId, from: first.version, to: room.version, events: fresh });
      else for (const { type, ...told } of fresh) socket.emit(`workshop:${type}`, { workshopId, ...told });
      if (!room.present.has(userId)) subscriptions.delete(socket);
    }
  }

  function page({ room }: Workshop, payload: { cursor?: string } & Received['payload']) {
    return { ok: true, ...attendeesPage(room, Number(payload.cursor ?? 0), listed) };
  }

  function authenticate(socket: Socket, payload: Received['payload']): unknown {
    const user = userOf(payload.token);
    if (user?.userId !== userFrom(socket).userId) return { ok: false, error: wireError('forbidden') };
    return { ok: true, expiresAt: new Date(Date.now() + 60_000).toISOString() };
  }

  function create(workshopId: number): Workshop {
    const workshop = {
      ...history(workshopId, Date.now()),
      epoch: 'first',
      past: new Map<string, number>(),
      subscriptions: new Map(),
      lost: new Set<number>(),
      done: new Map(),
    };
    workshops.set(workshopId, workshop);
    return workshop;
  }

  await new Promise<void>((resolve) => http.listen(wished, '127.0.0.1', resolve));
  const { port } = http.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${port}`,
    port,
    received,
    handshakes,
    /** A live workshop of host 1 in which 2 to 9 have RSVP'd. */
    schedule(workshopId: number): Workshop {
      const workshop = create(workshopId);
      const scheduledAt = new Date().toISOString();
      workshop.attempt('schedule-workshop', person(1), { title: `Workshop ${workshopId}`, scheduledAt });
      for (let userId = 2; userId <= 9; userId++) workshop.attempt('rsvp', person(userId), {});
      workshop.attempt('start', person(1), {}, 10);
      return workshop;
    },
    /** Something happens in the room by someone who is not connected here. */
    act(workshop: Workshop, userId: number, name: CommandName, payload: unknown = {}): void {
      if (!workshop.attempt(name, person(userId), payload, 5)) throw new Error(`${name} changed nothing`);
      broadcast(workshop);
    },
    /** The log lost its tail and goes on under a new epoch. */
    restartLog(workshop: Workshop, epoch: string): void {
      workshop.epoch = epoch;
      for (const { socket } of workshop.subscriptions.values())
        socket.emit('workshop:state', stateView(workshop.room, epoch, listed));
    },
    /** Tells everyone to move within so many milliseconds, as a node does that is about to end. */
    drain: (withinMs: number) => namespace.emit('workshop:draining', { withinMs }),
    mishap(name: string, ...kinds: Mishap[]): void {
      mishaps.set(name, kinds);
    },
    /** Happens once, after the next page of attendees was read and before it is sent. */
    beforeNextPage(act: () => void): void {
      beforePage = act;
    },
    /** The sockets of a user that are connected. */
    sockets: (userId: number) => socketsOf(namespace, userId),
    /** Breaks a user's connections as a network does. */
    cut(userId: number): void {
      for (const socket of socketsOf(namespace, userId)) socket.conn.close();
    },
    /** Ends a user's connections as an expired token does, or as that error does. */
    expire(userId: number, error: WireError = wireError('token_expired')): void {
      for (const socket of socketsOf(namespace, userId)) {
        socket.emit('workshop:error', error);
        socket.disconnect(true);
      }
    },
    /** How many WebSockets were asked for, whatever became of them. */
    upgrades: () => upgrades,
    count: (name: string, userId?: number) =>
      received.filter((one) => one.name === name && (userId === undefined || one.userId === userId)).length,
    close: () => io.close(),
  };
}

/** Tokens of this server read `user-7`. */
function userOf(token: unknown): User | null {
  const [, id] = /^user-(\d+)$/.exec(String(token)) ?? [];
  return id === undefined ? null : person(Number(id));
}

function userFrom(socket: Socket): User {
  // Set by the middleware above for every socket that gets through.
  return socket.data.user as User;
}

function socketsOf(namespace: Namespace, userId: number): Socket[] {
  return [...namespace.sockets.values()].filter((socket) => userFrom(socket).userId === userId);
}

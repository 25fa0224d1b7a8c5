/**
 * A socket on the namespace `/workshop` that stays connected: it comes back after cuts, restarts and an expired sign-in, and
 * stops only where the server does not know who calls. And which rooms are followed on it: one follower each, shared by everyone
 * who asks for it.
 */
import { io, type Socket } from 'socket.io-client';
import { type ErrorCode, wireError } from '../protocol/errors.ts';
import type { namespace as servedNamespace } from '../protocol/wire.ts';
import { type Follower, type FollowerOptions, follower } from './follower.ts';
import { afterHint, backoff, readReply, reconnecting, type WireError } from './reply.ts';

// The protocol's module brings its schemas along, which a page has no use for: types alone are taken from it.
const namespace: typeof servedNamespace = '/workshop';
const protocol = 1;

export interface ConnectionOptions {
  /** Where the server is, such as `https://rooms.example` or `https://example.org/rooms`; the page's own origin if left out. */
  url?: string | undefined;
  /** Sent in the handshake. Without it the cookie says who calls. */
  token?: string | undefined;
}

export interface ConnectionSnapshot {
  readonly connected: boolean;
  /** Why there is no connection, as far as that is known. */
  readonly error: WireError | null;
}

export interface Connection {
  readonly socket: Socket;
  snapshot(): ConnectionSnapshot;
  subscribe(listener: () => void): () => void;
  /** Connects at the end of the present turn, so that an opening that is closed at once never reaches the server. */
  open(): void;
  /** Connects now instead of when the next try is due, also where it had stopped. */
  retryNow(): void;
  /** Another token from now on: for the present connection, and for the next ones. */
  authenticate(token: string | undefined): void;
  /** Leaves every room and disconnects; commands that wait are refused. */
  close(): Promise<void>;
}

/** Answers of the server after which trying again makes no sense. */
const finalRefusals: readonly ErrorCode[] = ['unauthenticated', 'unsupported_protocol'];
const handshakeCodes: readonly ErrorCode[] = [
  ...finalRefusals,
  'token_expired',
  'rate_limited',
  'unavailable',
];
/** A connection that lasted this long, in milliseconds, starts the waiting anew. */
const settledMs = 10_000;

export function workshopConnection(options: ConnectionOptions = {}): Connection {
  let { token } = options;
  let snapshot: ConnectionSnapshot = { connected: false, error: null };
  let wanted = false;
  let tries = 0;
  let connectedAt = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** Until this client moves to another node. */
  let moving: ReturnType<typeof setTimeout> | undefined;
  const listeners = new Set<() => void>();

  const { origin, path } = placeOf(options.url ?? '');
  const socket = io(`${origin}${namespace}`, {
    path: `${path}/socket.io/`,
    autoConnect: false,
    // One connection to a hook: closing it must not depend on who else uses the same address.
    forceNew: true,
    withCredentials: true,
    transports: ['websocket', 'polling'],
    tryAllTransports: true,
    ...reconnecting,
    auth: (answer) => answer({ protocol, ...(token !== undefined && { token }) }),
  });

  function change(changes: Partial<ConnectionSnapshot>): void {
    snapshot = { ...snapshot, ...changes };
    for (const listener of [...listeners]) listener();
  }

  function connectAfter(ms: number): void {
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (wanted && !socket.connected) socket.connect();
    }, ms);
  }

  socket.on('connect', () => {
    connectedAt = Date.now();
    change({ connected: true, error: null });
  });

  socket.on('disconnect', () => {
    clearTimeout(moving);
    if (Date.now() - connectedAt > settledMs) tries = 0;
    change({ connected: false });
    // socket.io comes back by itself after a cut, but not where the server closed the connection on purpose.
    if (wanted && !socket.active) connectAfter(untilNext(snapshot.error));
  });

  function untilNext(error: WireError | null): number {
    return error?.retryAfterMs === undefined ? backoff(tries++) : afterHint(error.retryAfterMs);
  }

  socket.on('connect_error', (cause: Error & { data?: unknown }) => {
    // An active socket never reached the namespace and tries again by itself.
    if (socket.active) return change({ error: wireError('unavailable') });
    const error = refusedBy(cause);
    if (finalRefusals.includes(error.code)) wanted = false;
    change({ error });
    if (wanted) connectAfter(untilNext(error));
  });

  // `token_expired`, `slow_consumer` and `rate_limited` without a command announce that the connection is about to be closed.
  socket.on('workshop:error', (error: WireError & { command?: string }) => {
    if (error.command === undefined) change({ error });
  });

  // The node is about to end: everyone on it moves to another one at a moment of their own, which is no failure.
  socket.on('workshop:draining', (message: { withinMs?: unknown }) => {
    const withinMs = Number(message?.withinMs);
    if (!(withinMs >= 0)) return;
    clearTimeout(moving);
    moving = setTimeout(() => {
      socket.disconnect();
      connectAfter(0);
    }, Math.random() * withinMs);
  });

  function retryNow(): void {
    wanted = true;
    tries = 0;
    clearTimeout(timer);
    // Disconnecting ends the wait for the next try, which connecting alone would not.
    if (!socket.connected) socket.disconnect().connect();
  }

  /** The network is back, or the page is looked at again: no reason to wait. */
  function wake(): void {
    if (!wanted || socket.connected || snapshot.error === null) return;
    if (typeof document !== 'undefined' && document.visibilityState === 'hidden') return;
    retryNow();
  }

  function listenToPage(how: 'addEventListener' | 'removeEventListener'): void {
    if (typeof window === 'undefined') return;
    window[how]('online', wake);
    document[how]('visibilitychange', wake);
  }

  return {
    socket,
    snapshot: () => snapshot,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    open() {
      wanted = true;
      listenToPage('addEventListener');
      connectAfter(0);
    },
    retryNow,
    authenticate(next) {
      if (next === token) return;
      token = next;
      if (socket.connected && next !== undefined) {
        socket
          .timeout(10_000)
          .emit('workshop:authenticate', { token: next }, (failure: Error | null, answer: unknown) => {
            // Someone else now: that needs a handshake of its own.
            if (failure === null && !readReply(answer).ok) socket.disconnect().connect();
          });
      } else if (socket.connected || snapshot.error?.code === 'unauthenticated') {
        socket.disconnect();
        retryNow();
      }
    },
    async close() {
      wanted = false;
      clearTimeout(timer);
      clearTimeout(moving);
      listenToPage('removeEventListener');
      const followers = followersOf(socket);
      if (socket.connected) await Promise.all(followers.map((follower) => follower.leave()));
      for (const follower of followers) follower.close();
      socket.disconnect();
    },
  };
}

/** A server may be found under a path, which for Socket.IO is none of the namespace's. */
function placeOf(url: string): { origin: string; path: string } {
  const [, origin = '', path = ''] = /^((?:\w+:)?(?:\/\/)?[^/?#]*)([^?#]*)/.exec(url) ?? [];
  return { origin, path: path.replace(/\/+$/, '') };
}

/** What a refused handshake says: the message is a code, and `data` may say how long to wait. */
function refusedBy(cause: Error & { data?: unknown }): WireError {
  // Codes that are not known here count as a failure that passes.
  const code = handshakeCodes.find((known) => known === cause.message) ?? 'unavailable';
  const { data } = cause;
  if (typeof data !== 'object' || data === null || !('retryAfterMs' in data)) return wireError(code);
  return {
    ...wireError(code),
    ...(typeof data.retryAfterMs === 'number' && { retryAfterMs: data.retryAfterMs }),
  };
}

const followersBySocket = new WeakMap<Socket, Map<number, Follower>>();

/** The follower of that room on that socket. Asking for it does nothing yet; options count for whoever asks first. */
export function followerOf(socket: Socket, workshopId: number, options?: FollowerOptions): Follower {
  const followers = followersBySocket.get(socket) ?? new Map<number, Follower>();
  followersBySocket.set(socket, followers);
  const known = followers.get(workshopId);
  if (known !== undefined) return known;
  const made = follower(socket, workshopId, options);
  followers.set(workshopId, made);
  return made;
}

/** Everything that is followed on a socket. */
export function followersOf(socket: Socket): Follower[] {
  return [...(followersBySocket.get(socket)?.values() ?? [])];
}

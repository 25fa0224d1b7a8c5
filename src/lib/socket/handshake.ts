/**
 * What comes before a socket. Every HTTP request to Socket.IO passes the guard: handshakes, upgrades, and the polling of a session
 * under way; then `admitting` says whether a handshake becomes a socket. CORS alone does not stop a WebSocket of another site,
 * and Socket.IO's own `allowRequest` is asked at the handshake and never again.
 */
import { type IncomingMessage, ServerResponse, STATUS_CODES } from 'node:http';
import { type Addresses, countedAs } from '../../identity/address.ts';
import type { Callers, Credentials } from '../../identity/callers.ts';
import type { Origins } from '../../identity/origin.ts';
import type { Accounts, Limits } from '../../limits/limiter.ts';
import type { Kind } from '../../limits/table.ts';
import { CodedError } from '../../protocol/errors.ts';
import { servedProtocols } from '../../protocol/wire.ts';
import type { Logger, WorkshopSocket } from './socket.ts';

export interface GuardParts {
  origins: Origins;
  logger: Logger;
}

type Next = (error?: unknown) => void;
export type Guard = (request: IncomingMessage, response: ServerResponse, next: Next) => void;

/** What browsers are told on each answer; fastify's headers are not on those of Socket.IO. */
const headers = {
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};
/** Refused origins that are logged at most: whoever sends made-up ones must not fill the log. */
const maxLogged = 100;
/** An origin is as long as its sender likes. */
const loggedLength = 200;

export function handshakeGuard({ origins, logger }: GuardParts): Guard {
  const logged = new Set<string>();

  function log(refused = ''): void {
    const origin = refused.slice(0, loggedLength);
    if (logged.has(origin) || logged.size > maxLogged) return;
    logged.add(origin);
    if (logged.size > maxLogged)
      logger.info({ origins: maxLogged }, 'more origins are refused than are told of');
    else logger.info({ origin }, 'refused an origin; allow it in CORS_ORIGINS');
  }

  return (request, response, next) => {
    if (!origins.isAllowed(request.headers, isEncrypted(request))) {
      log(request.headers.origin);
      return refuse(request, response);
    }
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    next();
  };
}

function isEncrypted(request: IncomingMessage): boolean {
  return 'encrypted' in request.socket;
}

function refuse({ socket }: IncomingMessage, response: ServerResponse): void {
  const body = JSON.stringify({ error: { code: 'forbidden', message: 'origin not allowed' } });
  const fields = {
    ...headers,
    'content-type': 'application/json; charset=utf-8',
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
  };
  if (response instanceof ServerResponse) return void response.writeHead(403, fields).end(body);
  // On an upgrade Socket.IO hands a stand-in that sends nothing. The bare socket has no listener: an error would end us.
  socket.on('error', () => socket.destroy());
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}`);
  socket.end([`HTTP/1.1 403 ${STATUS_CODES[403]}`, ...lines, '', body].join('\r\n'), () => socket.destroy());
}

/** What a handshake brings that may say who calls; also with another token than it brought. */
export function credentialsOf({ handshake: { auth, headers }, request }: WorkshopSocket): Credentials {
  return { headers, auth, encrypted: isEncrypted(request), changes: true };
}

/** A tab that went away without a word is noticed by then. */
const fullAgainMs = 45_000;
const tooManySockets = 'you have too many connections here already: close some';

export interface AdmitParts {
  callers: Callers;
  addresses: Addresses;
  limits: Limits;
  connections: 'ours' | 'shared';
}

/**
 * Whether a handshake becomes a socket: its protocol, who it is, and whether they connect too often. Fills the socket's data, or
 * rejects with the code that refuses it.
 */
export function admitting({ callers, addresses, limits, connections }: AdmitParts) {
  async function take(kind: Kind, accounts: Accounts): Promise<void> {
    const verdict = await limits.take(kind, accounts);
    if (verdict.ok) return;
    throw new CodedError('rate_limited', undefined, { retryAfterMs: verdict.retryAfterMs });
  }

  /** A place among the user's sockets, for as long as the connection lasts. */
  function occupy(socket: WorkshopSocket, userId: number): void {
    const { conn } = socket;
    // It closed while it was looked at, and tells nobody any more.
    if (conn.readyState !== 'open') return;
    const leave = limits.sockets.take(userId);
    if (leave === undefined)
      throw new CodedError('rate_limited', tooManySockets, { retryAfterMs: fullAgainMs });
    // Of a connection that others share the socket may go alone.
    const once = () => {
      conn.off('close', once);
      leave();
    };
    conn.once('close', once);
    if (connections === 'shared') socket.once('disconnect', once);
  }

  return async (socket: WorkshopSocket): Promise<void> => {
    const protocol: unknown = socket.handshake.auth.protocol ?? 1;
    if (typeof protocol !== 'number' || !servedProtocols.includes(protocol))
      throw new CodedError('unsupported_protocol');
    const address = countedAs(addresses.of(socket.request));
    const { user, expiresAt } = await callers
      .identify(credentialsOf(socket))
      .catch(async (error: unknown) => {
        // Whatever was wrong, it is counted alike: what is said then tells nothing about the token.
        await take('unauthenticated', { address });
        throw error;
      });
    await take('connect', { user: user.userId, address });
    occupy(socket, user.userId);
    Object.assign(socket.data, { user, expiresAt, address, rooms: new Set(), moving: new Map() });
    Object.assign(socket.data, { underWay: 0, retiring: false, shares: connections === 'shared' });
  };
}

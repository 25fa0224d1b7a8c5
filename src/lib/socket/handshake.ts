/**
 * What every HTTP request to Socket.IO passes first: handshakes, upgrades, and the polling of a session under way. CORS alone
 * does not stop a WebSocket of another site, and Socket.IO's own `allowRequest` is asked at the handshake and never again.
 */
import { type IncomingMessage, ServerResponse, STATUS_CODES } from 'node:http';
import type { Origins } from '../../identity/origin.ts';
import type { Logger } from './session.ts';

export interface HandshakeParts {
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
/** Refused origins told of at most: whoever sends made-up ones must not fill the log. */
const maxTold = 100;
/** An origin is as long as its sender likes. */
const toldLength = 200;

export function handshakeGuard({ origins, logger }: HandshakeParts): Guard {
  const told = new Set<string>();

  function tell(refused = ''): void {
    const origin = refused.slice(0, toldLength);
    if (told.has(origin) || told.size > maxTold) return;
    told.add(origin);
    if (told.size > maxTold) logger.info({ origins: maxTold }, 'more origins are refused than are told of');
    else logger.info({ origin }, 'refused an origin; allow it in CORS_ORIGINS');
  }

  return (request, response, next) => {
    if (!origins.isAllowed(request.headers, isEncrypted(request))) {
      tell(request.headers.origin);
      return refuse(request, response);
    }
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    next();
  };
}

export function isEncrypted(request: IncomingMessage): boolean {
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

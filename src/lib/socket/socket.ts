/** A socket as the server knows it: what is kept about it, what it is answered, and ending it from this side. */
import type { Namespace, Socket } from 'socket.io';
import type { User } from '../../domain/define.ts';
import { type ErrorCode, type WireError, wireError } from '../../protocol/errors.ts';
import { wireName } from '../../protocol/wire.ts';

export interface SocketData {
  user: User;
  /** Milliseconds since 1970. */
  expiresAt: number;
  /** On whose account it counts, of those that the limits know. */
  address: string;
  /** Workshops whose room this socket is subscribed to, or about to be. */
  rooms: Set<number>;
  /** Joining or leaving under way, by workshop: what was sent after it waits for it. */
  moving: Map<number, Promise<void>>;
  /** How much of what it sent is not answered yet. */
  underWay: number;
  /** It is about to be cut, and what it sends is not taken any more. */
  retiring: boolean;
  /** Its connection is also that of other namespaces, and stays when this socket goes. */
  shares: boolean;
}

/** Events have names that are only known from the domain's tables, so they are not typed one by one. */
type Events = Record<string, (...values: unknown[]) => void>;
export type WorkshopSocket = Socket<Events, Events, Events, SocketData>;
export type WorkshopNamespace = Namespace<Events, Events, Events, SocketData>;
/** What carries a socket: a WebSocket, or requests that poll. */
export type Connection = WorkshopSocket['conn'];

/** What a socket gets for what it sent. */
export type Answer = { ok: true; [field: string]: unknown } | { ok: false; error: WireError };

export function failure(code: ErrorCode, detail?: string): { ok: false; error: WireError } {
  return { ok: false, error: wireError(code, detail) };
}

/** Structured logging, as pino has it. */
export interface Logger {
  error(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  info(fields: object, message: string): void;
}

/** How long a dismissed connection has for reading what it was sent, in milliseconds. */
const lingerMs = 3_000;

/**
 * Tells the socket why, takes it out of its rooms at once – nothing more is sent to it, and its user has the grace of someone
 * who dropped – and closes the connection, unless others share it, when what waits is read, or after some seconds.
 */
export function dismiss(socket: WorkshopSocket, error: WireError, whole = !socket.data.shares): void {
  socket.emit(wireName('error'), error);
  socket.disconnect(whole);
  if (whole) cutOff(socket.conn);
}

/** engine.io's own closing waits for a drain that may never come, and ws then for half a minute. */
function cutOff(connection: Connection): void {
  if (connection.readyState === 'closed') return;
  const timer = setTimeout(() => terminate(connection), lingerMs);
  connection.once('close', () => clearTimeout(timer));
}

/** Without another word. */
export function terminate(connection: Connection): void {
  const { transport } = connection;
  connection.close(true);
  // ws: no closing handshake with someone who does not read.
  if ('socket' in transport && isTerminable(transport.socket)) transport.socket.terminate();
}

function isTerminable(socket: unknown): socket is { terminate(): void } {
  return typeof socket === 'object' && socket !== null && 'terminate' in socket;
}

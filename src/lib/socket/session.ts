/** What the server keeps about each socket, and the types that go with it. */
import type { Namespace, Socket } from 'socket.io';
import type { User } from '../../domain/define.ts';

/** Structured logging, as pino has it. */
export interface Logger {
  error(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  info(fields: object, message: string): void;
}

/** What a socket is to the server. */
export interface Session {
  user: User;
  /** Milliseconds since 1970. */
  expiresAt: number;
  /** From which it connected. */
  address: string;
  /** Rooms that this socket is in. */
  rooms: Set<number>;
  /** Joining or leaving under way, by workshop: what was sent after it waits for it. */
  moving: Map<number, Promise<unknown>>;
  /** How much of what it sent is not answered yet. */
  underWay: number;
  /** It is about to be cut, and what it sends is not taken any more. */
  retiring: boolean;
}

/** Events have names that are only known from the domain's tables, so they are not typed one by one. */
type Events = Record<string, (...values: unknown[]) => void>;
export type WorkshopSocket = Socket<Events, Events, Events, Session>;
export type WorkshopNamespace = Namespace<Events, Events, Events, Session>;
/** What carries a socket: a WebSocket, or requests that poll. */
export type Connection = WorkshopSocket['conn'];

/** A Socket.IO server of our own, on which nothing but workshops is to be had. */
import type { Server as HttpServer } from 'node:http';
import { Server } from 'socket.io';
import type { Origins } from '../../identity/origin.ts';
import { maxMessageBytes } from '../../protocol/wire.ts';
import type { Adapter } from './adapter.ts';
import { handshakeGuard } from './handshake.ts';
import type { Logger } from './socket.ts';

export interface OwnServerParts {
  http: HttpServer;
  origins: Origins;
  logger: Logger;
  /** Origins of other sites whose pages may connect. */
  corsOrigins: readonly string[];
  /** Serves what crosses nodes beside room events; none with one node. */
  adapter?: Adapter | undefined;
}

export function ownServer(parts: OwnServerParts, isRefusing: () => boolean): Server {
  const io = new Server(parts.http, {
    // A phone that goes silent counts as dropped when it has not answered a ping: up to 45 s, before any grace begins.
    pingInterval: 25_000,
    pingTimeout: 20_000,
    // A connection that names no namespace in time, or more than a message may hold, is closed.
    connectTimeout: 10_000,
    maxHttpBufferSize: maxMessageBytes,
    serveClient: false,
    cors: { origin: [...parts.corsOrigins], credentials: true },
    // Refused before there is a session: any Socket.IO client then tries again by itself, on a node that stays.
    allowRequest: (_, decide) => {
      const refused = isRefusing();
      decide(refused ? 'this node is shutting down' : null, !refused);
    },
    // Off for good: recovery would skip the check of the token, and the contract's `after` resumes on any node.
    ...(parts.adapter !== undefined && { adapter: parts.adapter }),
  });
  io.engine.use(handshakeGuard(parts));
  // The default namespace asks for no token: who connects to it would be there for good without having signed in.
  io.use((_, next) => next(new Error('Invalid namespace')));
  return io;
}

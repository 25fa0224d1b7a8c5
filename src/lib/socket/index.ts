/**
 * The namespace `/workshop`: who may connect, what a connection may send (`workshop.ts`), what it gets (`broadcast.ts`), and
 * the timers (`crons.ts`).
 */
import type { Server as HttpServer } from 'node:http';
import { Server } from 'socket.io';
import { initWorkshopCrons } from '../../crons.ts';
import type { TimerSettings } from '../../domain/timers.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Addresses } from '../../identity/address.ts';
import type { Origins } from '../../identity/origin.ts';
import type { Tokens } from '../../identity/token.ts';
import type { Limits } from '../../limits/limiter.ts';
import type { EventLog } from '../../log/log.ts';
import type { Metrics } from '../../observe/metrics.ts';
import { type NodePresence, nodePresence } from '../../presence/presence.ts';
import { asWireError, CodedError, wireError } from '../../protocol/errors.ts';
import { maxMessageBytes, namespace } from '../../protocol/wire.ts';
import type { Adapter } from './adapter.ts';
import { type AdmissionSettings, admission } from './admission.ts';
import { broadcast, type RoomBroadcasts } from './broadcast.ts';
import { drain } from './drain.ts';
import { countMessages } from './gate.ts';
import { admitting, handshakeGuard } from './handshake.ts';
import { type ReaderSettings, watchReaders } from './readers.ts';
import { dismiss, type Logger, type WorkshopNamespace, type WorkshopSocket } from './socket.ts';
import { registerWorkshopHandlers, type SocketContext } from './workshop.ts';

export interface WorkshopSocketParts {
  http: HttpServer;
  engine: Engine;
  log: EventLog;
  tokens: Tokens;
  origins: Origins;
  addresses: Addresses;
  limits: Limits;
  metrics: Metrics;
  logger: Logger;
  node: string;
  /** Origins of other sites whose pages may connect. */
  corsOrigins: readonly string[];
  presence: { graceMs: number; leaseMs: number };
  timers: TimerSettings;
  admission: AdmissionSettings;
  readers: ReaderSettings;
  /** See `BroadcastParts`. */
  idleMs?: number;
  roomBytes?: number;
  sweepMs?: number;
  /** Serves what crosses nodes beside room events; none with one node. */
  adapter?: Adapter | undefined;
}

export interface WorkshopSockets {
  io: Server;
  /** Resolves once what is appended from now on reaches the sockets, and this node may hold presence. */
  ready: Promise<void>;
  /**
   * Sends everyone to other nodes within so many milliseconds; 0 where there is none. Nobody is recorded as gone from now on.
   * Resolves when they are gone, and what they had sent is answered.
   */
  drain(windowMs: number): Promise<void>;
  /** Resolves when the HTTP server has no connection left either. */
  close(): Promise<void>;
}

export function workshopSockets(parts: WorkshopSocketParts): WorkshopSockets {
  const { engine, log, limits, metrics } = parts;
  const io = socketServer(parts, () => draining.isRefusing());
  const nsp: WorkshopNamespace = io.of(namespace);
  countMessages(io, nsp, limits);
  const draining = drain(nsp);
  const presence = presenceHere(parts, () => broadcasts);
  const broadcasts = broadcast({ ...parts, presence });
  admitOnly(nsp, parts);
  const context = { ...parts, presence, broadcasts, admission: admission(parts.admission) };
  nsp.on('connection', (socket) => serve(socket, context));

  const readers = watchReaders(nsp, parts.readers, (socket) => {
    metrics.slowConsumers.inc();
    dismiss(socket, wireError('slow_consumer'));
  });
  parts.http.once('listening', presence.opened);
  const failed = failure(parts, 'a timer could not be looked after; it is tried again');
  const crons = initWorkshopCrons({ engine, log, timers: parts.timers, failed });

  return {
    io,
    ready: Promise.all([broadcasts.ready, presence.ready]).then(() => undefined),
    async drain(windowMs) {
      // Before the sockets go: their dropping is the server's restart, and nobody's leaving.
      presence.drain();
      await draining.run(windowMs);
    },
    async close() {
      readers.close();
      presence.drain();
      await new Promise<void>((resolve) => void io.close(() => resolve()));
      crons.close();
      await presence.close();
      await broadcasts.close();
    },
  };
}

function socketServer(parts: WorkshopSocketParts, isRefusing: () => boolean): Server {
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

/** Presence knows no sockets: it is told who has one here. */
function presenceHere(parts: WorkshopSocketParts, broadcasts: () => RoomBroadcasts): NodePresence {
  return nodePresence({
    ...{ log: parts.log, node: parts.node, handle: parts.engine.handle, ...parts.presence },
    connected: {
      has: (workshopId, userId) => broadcasts().get(workshopId)?.has(userId) ?? false,
      workshops: () => broadcasts().ids(),
      staying: (workshopId) => broadcasts().get(workshopId)?.staying() ?? [],
    },
    failed: failure(parts, 'presence could not be kept up; it is tried again'),
  });
}

/** Those whose handshake is refused never get a socket. */
function admitOnly(nsp: WorkshopNamespace, parts: WorkshopSocketParts): void {
  const admit = admitting(parts);
  nsp.use((socket, next) => {
    admit(socket).then(
      () => next(),
      (error: unknown) => {
        const data = error instanceof CodedError ? asWireError(error) : wireError('internal');
        if (data.code === 'internal') parts.logger.error({ err: error }, 'a handshake failed unexpectedly');
        next(Object.assign(new Error(data.code), { data }));
      },
    );
  });
}

function serve(socket: WorkshopSocket, context: SocketContext): void {
  const { metrics } = context;
  metrics.sockets.inc();
  socket.on('disconnect', () => {
    metrics.sockets.dec();
    // There is nothing else to be had on this connection: it would stay open with nobody signed in on it.
    socket.conn.close();
  });
  socket.join(`user:${socket.data.user.userId}`);
  registerWorkshopHandlers(socket, context);
}

function failure({ metrics, logger }: WorkshopSocketParts, message: string): (error: unknown) => void {
  return (error) => {
    metrics.faults.inc({ place: 'crons' });
    logger.warn({ err: error }, message);
  };
}

/**
 * The namespace `/workshop`: who may connect, what a connection may send (`workshop.ts`), what it gets (`broadcast.ts`), and
 * the timers (`crons.ts`).
 */
import type { Server as HttpServer } from 'node:http';
import { Server } from 'socket.io';
import { initWorkshopCrons, type WorkshopCrons } from '../../crons.ts';
import type { TimerSettings } from '../../domain/timers.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Addresses } from '../../identity/address.ts';
import type { Origins } from '../../identity/origin.ts';
import type { Tokens } from '../../identity/token.ts';
import type { Limits } from '../../limits/limiter.ts';
import type { EventLog } from '../../log/log.ts';
import type { Metrics } from '../../observe/metrics.ts';
import { asWireError, CodedError, wireError } from '../../protocol/errors.ts';
import { maxMessageBytes, namespace } from '../../protocol/wire.ts';
import { absences } from './absence.ts';
import { type AdmissionSettings, admission } from './admission.ts';
import { admitting } from './admit.ts';
import { broadcast } from './broadcast.ts';
import type { Adapter } from './circle.ts';
import type { SocketContext } from './context.ts';
import { dismiss } from './dismiss.ts';
import { drain } from './drain.ts';
import { handshakeGuard } from './handshake.ts';
import { countMessages } from './messages.ts';
import { type ReaderSettings, watchReaders } from './readers.ts';
import type { Logger, WorkshopNamespace } from './session.ts';
import { registerWorkshopHandlers } from './workshop.ts';

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
  /** Serves what crosses nodes beside room events; none with one node. */
  adapter?: Adapter | undefined;
}

export interface WorkshopSockets {
  io: Server;
  /** Resolves once what is appended from now on reaches the sockets, and this node may hold presence. */
  ready: Promise<void>;
  crons: WorkshopCrons;
  /**
   * Sends everyone to other nodes within so many milliseconds; 0 where there is none. Nobody is recorded as gone from now on.
   * Resolves when they are gone, and what they had sent is answered.
   */
  drain(windowMs: number): Promise<void>;
  /** Resolves when the HTTP server has no connection left either. */
  close(): Promise<void>;
}

export function workshopSockets(parts: WorkshopSocketParts): WorkshopSockets {
  const { engine, log, tokens, origins, limits, metrics, logger, node, presence } = parts;
  const io = new Server(parts.http, {
    // A connection that names no namespace in time, or more than a message may hold, is closed.
    connectTimeout: 10_000,
    maxHttpBufferSize: maxMessageBytes,
    serveClient: false,
    cors: { origin: [...parts.corsOrigins], credentials: true },
    // Refused before there is a session: any Socket.IO client then tries again by itself, on a node that stays.
    allowRequest: (_, decide) => {
      const refused = draining.isRefusing();
      decide(refused ? 'this node is shutting down' : null, !refused);
    },
    // Off for good: recovery would skip the check of the token, and the contract's `after` resumes on any node.
    ...(parts.adapter !== undefined && { adapter: parts.adapter }),
  });
  io.engine.use(handshakeGuard({ origins, logger }));
  // The default namespace asks for no token: who connects to it would be there for good without having signed in.
  io.use((_, next) => next(new Error('Invalid namespace')));

  const nsp: WorkshopNamespace = io.of(namespace);
  countMessages(io, nsp, limits);
  const draining = drain(nsp);
  const failed = (error: unknown) => {
    metrics.faults.inc({ place: 'crons' });
    logger.warn({ err: error }, 'a timer could not be looked after; it is tried again');
  };
  const away = absences({
    ...{ engine, presence: log.presence, node, failed, quietMs: () => crons.quietMs() },
    ...presence,
  });
  const halls = broadcast({ nsp, log, engine, node, absences: away, metrics, logger });
  const context: SocketContext = {
    ...{ engine, log, tokens, origins, limits, metrics, logger, halls, absences: away },
    admission: admission(parts.admission),
  };

  const admit = admitting({ tokens, origins, limits, addresses: parts.addresses });
  nsp.use((socket, next) => {
    admit(socket).then(
      () => next(),
      (error: unknown) => {
        const data = error instanceof CodedError ? asWireError(error) : wireError('internal');
        if (data.code === 'internal') logger.error({ err: error }, 'a handshake failed unexpectedly');
        next(Object.assign(new Error(data.code), { data }));
      },
    );
  });

  nsp.on('connection', (socket) => {
    metrics.sockets.inc();
    socket.on('disconnect', () => {
      metrics.sockets.dec();
      // There is nothing else to be had on this connection: it would stay open with nobody signed in on it.
      socket.conn.close();
    });
    socket.join(`user:${socket.data.user.userId}`);
    registerWorkshopHandlers(socket, context);
  });

  const readers = watchReaders(nsp, parts.readers, (socket) => {
    metrics.slowConsumers.inc();
    dismiss(socket, wireError('slow_consumer'));
  });

  let openSince: number | undefined;
  parts.http.once('listening', () => {
    openSince = performance.now();
  });
  const crons = initWorkshopCrons({
    engine,
    log,
    node,
    timers: parts.timers,
    ...presence,
    openSince: () => openSince,
    isHere: (workshopId, userId) => halls.get(workshopId)?.has(userId) ?? false,
    holdAgain: () => halls.hold(),
    failed,
  });

  return {
    io,
    ready: Promise.all([halls.ready, crons.ready]).then(() => undefined),
    crons,
    async drain(windowMs) {
      // Before the sockets go: their dropping is the server's restart, and nobody's leaving.
      away.close();
      await draining.run(windowMs);
    },
    async close() {
      readers.close();
      away.close();
      await new Promise<void>((resolve) => void io.close(() => resolve()));
      await crons.close();
      await halls.close();
    },
  };
}

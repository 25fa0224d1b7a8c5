/**
 * The namespace `/workshop`: who may connect, what a connection may send (`workshop.ts`), what it gets (`broadcast.ts`), and
 * the timers (`crons.ts`).
 */
import type { Server as HttpServer } from 'node:http';
import { createAdapter } from '@socket.io/redis-streams-adapter';
import { Server } from 'socket.io';
import { initWorkshopCrons, type WorkshopCrons } from '../../crons.ts';
import type { TimerSettings } from '../../domain/timers.ts';
import type { Engine } from '../../engine/engine.ts';
import { type Origins, tokenCookie } from '../../identity/origin.ts';
import type { Tokens } from '../../identity/token.ts';
import type { EventLog } from '../../log/log.ts';
import type { Metrics } from '../../observe/metrics.ts';
import { CodedError, wireError } from '../../protocol/errors.ts';
import { maxMessageBytes, namespace, servedProtocols } from '../../protocol/wire.ts';
import { absences } from './absence.ts';
import { broadcast } from './broadcast.ts';
import type { SocketContext } from './context.ts';
import { handshakeGuard, isEncrypted } from './handshake.ts';
import type { Logger, WorkshopNamespace, WorkshopSocket } from './session.ts';
import { registerWorkshopHandlers } from './workshop.ts';

export interface WorkshopSocketParts {
  http: HttpServer;
  engine: Engine;
  log: EventLog;
  tokens: Tokens;
  origins: Origins;
  metrics: Metrics;
  logger: Logger;
  node: string;
  /** Origins of other sites whose pages may connect. */
  corsOrigins: readonly string[];
  presence: { graceMs: number; leaseMs: number };
  timers: TimerSettings;
  /** A client of its own for the adapter that serves what crosses nodes beside room events; none with one node. */
  adapterRedis?: unknown;
}

export interface WorkshopSockets {
  io: Server;
  /** Resolves once what is appended from now on reaches the sockets, and this node may hold presence. */
  ready: Promise<void>;
  crons: WorkshopCrons;
  close(): Promise<void>;
}

export function workshopSockets(parts: WorkshopSocketParts): WorkshopSockets {
  const { engine, log, tokens, origins, metrics, logger, node, presence } = parts;
  const io = new Server(parts.http, {
    // A connection that names no namespace in time, or more than a message may hold, is closed.
    connectTimeout: 10_000,
    maxHttpBufferSize: maxMessageBytes,
    serveClient: false,
    cors: { origin: [...parts.corsOrigins], credentials: true },
    // Off for good: recovery would skip the check of the token, and the contract's `after` resumes on any node.
    ...(parts.adapterRedis !== undefined && {
      // Its reader notices a close only when a wait is over.
      adapter: createAdapter(parts.adapterRedis, { blockTimeInMs: 1_000 }),
    }),
  });
  io.engine.use(handshakeGuard({ origins, logger }));
  // The default namespace asks for no token: who connects to it would be there for good without having signed in.
  io.use((_, next) => next(new Error('Invalid namespace')));

  const nsp: WorkshopNamespace = io.of(namespace);
  const away = absences({ engine, ...presence, quietMs: () => crons.quietMs() });
  const halls = broadcast({ nsp, log, engine, node, absences: away, metrics, logger });
  const context: SocketContext = { engine, log, tokens, origins, metrics, logger, halls, absences: away };

  nsp.use((socket, next) => {
    admit(socket).then(
      () => next(),
      (error: unknown) => {
        const code = error instanceof CodedError ? error.code : 'internal';
        if (code === 'internal') logger.error({ err: error }, 'a handshake failed unexpectedly');
        next(Object.assign(new Error(code), { data: wireError(code) }));
      },
    );
  });

  async function admit(socket: WorkshopSocket): Promise<void> {
    const { auth, headers } = socket.handshake;
    const protocol: unknown = auth.protocol ?? 1;
    if (typeof protocol !== 'number' || !servedProtocols.includes(protocol))
      throw new CodedError('unsupported_protocol');
    const cookie = origins.cookieCounts(headers, isEncrypted(socket.request), true)
      ? tokenCookie(headers.cookie)
      : undefined;
    const token: unknown = auth.token ?? cookie;
    if (typeof token !== 'string') throw new CodedError('unauthenticated');
    const { user, expiresAt } = await tokens.verify(token);
    Object.assign(socket.data, { user, expiresAt, rooms: new Set(), moving: new Map() });
  }

  nsp.on('connection', (socket) => {
    metrics.sockets.inc();
    socket.on('disconnect', () => metrics.sockets.dec());
    socket.join(`user:${socket.data.user.userId}`);
    registerWorkshopHandlers(socket, context);
  });

  const crons = initWorkshopCrons({
    engine,
    log,
    node,
    timers: parts.timers,
    leaseMs: presence.leaseMs,
    isHere: (workshopId, userId) => halls.get(workshopId)?.has(userId) ?? false,
    failed: (error) => {
      metrics.faults.inc({ place: 'crons' });
      logger.warn({ err: error }, 'a timer could not be looked after; it is tried again');
    },
  });

  return {
    io,
    ready: Promise.all([halls.ready, crons.ready]).then(() => undefined),
    crons,
    async close() {
      crons.close();
      // Before the sockets: their dropping is the server's restart, and nobody's leaving.
      away.close();
      await new Promise<void>((resolve) => void io.close(() => resolve()));
      away.close();
      await halls.close();
    },
  };
}

/**
 * The namespace `/workshop`: who may connect, what a connection may send (`workshop.ts`), what it gets (`broadcast.ts`), and
 * the timers (`crons.ts`). It lies on a server of our own, or on one that is there for other things too; that one's other
 * namespaces, its adapter and its connections are then none of its business.
 */
import type { Server } from 'socket.io';
import { initWorkshopCrons } from '../../crons.ts';
import type { TimerSettings } from '../../domain/timers.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Addresses } from '../../identity/address.ts';
import type { Callers } from '../../identity/callers.ts';
import type { Limits } from '../../limits/limiter.ts';
import type { EventLog } from '../../log/log.ts';
import type { Metrics } from '../../observe/metrics.ts';
import type { Tracing } from '../../observe/tracing.ts';
import { type NodePresence, nodePresence } from '../../presence/presence.ts';
import { asWireError, CodedError, wireError } from '../../protocol/errors.ts';
import { namespace } from '../../protocol/wire.ts';
import { type AdmissionSettings, admission } from './admission.ts';
import { attach } from './attachment.ts';
import { broadcast, type RoomBroadcasts } from './broadcast.ts';
import { type Drain, drain } from './drain.ts';
import { countMessages, countMessagesOf } from './gate.ts';
import { admitting } from './handshake.ts';
import { type OwnServerParts, ownServer } from './ownServer.ts';
import { type ReaderSettings, watchReaders } from './readers.ts';
import { dismiss, type WorkshopNamespace, type WorkshopSocket } from './socket.ts';
import { registerWorkshopHandlers } from './workshop.ts';

export interface NamespaceParts extends Pick<OwnServerParts, 'logger'> {
  engine: Engine;
  log: EventLog;
  callers: Callers;
  addresses: Addresses;
  limits: Limits;
  metrics: Metrics;
  tracing: Tracing | undefined;
  node: string;
  presence: { graceMs: number; leaseMs: number };
  timers: TimerSettings;
  admission: AdmissionSettings;
  readers: ReaderSettings;
  /** See `BroadcastParts`. */
  idleMs?: number;
  roomBytes?: number;
  sweepMs?: number;
  /** Whose the connections are: ours, or also those of other namespaces, and then they outlive our sockets. */
  connections: 'ours' | 'shared';
}

export interface WorkshopSocketParts extends OwnServerParts, Omit<NamespaceParts, 'connections'> {}

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

/** On a server of our own, which hangs on `http`. */
export function workshopSockets(parts: WorkshopSocketParts): WorkshopSockets {
  const io = ownServer(parts, () => served.isRefusing());
  const served = serveNamespace(io, { ...parts, connections: 'ours' });
  countMessages(io, io.of(namespace), parts.limits);
  parts.http.once('listening', served.opened);
  return {
    ...{ io, ready: served.ready, drain: served.drain },
    close: () => served.close(() => new Promise<void>((resolve) => void io.close(() => resolve()))),
  };
}

/** On a server that is there. `close` disconnects the sockets of the namespace, and leaves everything else as it is. */
export function attachedSockets(io: Server, parts: Omit<NamespaceParts, 'connections'>): WorkshopSockets {
  const served = serveNamespace(io, { ...parts, connections: 'shared' });
  const http = httpOf(io);
  if (http === undefined || http.listening) served.opened();
  else http.once('listening', served.opened);
  return {
    ...{ io, ready: served.ready, drain: served.drain },
    async close() {
      http?.off('listening', served.opened);
      await served.close(async () => served.nsp.local.disconnectSockets());
    },
  };
}

/** Undefined where it listens on something else, or does not listen yet. */
function httpOf(io: Server) {
  return io.httpServer as Server['httpServer'] | undefined;
}

interface ServedNamespace extends Pick<WorkshopSockets, 'ready' | 'drain'>, Pick<Drain, 'isRefusing'> {
  nsp: WorkshopNamespace;
  /** Clients can reach it from now on. */
  opened(): void;
  /** `disconnecting` sees to it that no socket is left. */
  close(disconnecting: () => Promise<void>): Promise<void>;
}

function serveNamespace(io: Server, parts: NamespaceParts): ServedNamespace {
  const { engine, log, metrics } = parts;
  const nsp: WorkshopNamespace = io.of(namespace);
  const draining = drain(nsp);
  const presence = presenceHere(parts, () => broadcasts);
  const broadcasts = broadcast({ ...parts, presence });
  const context = { ...parts, presence, broadcasts, admission: admission(parts.admission) };
  const detach = attach(nsp, {
    context,
    admit: admissionTo(parts, draining),
    serve: (socket) => serve(nsp, socket, context),
  });
  const readers = watchReaders(nsp, parts.readers, (socket) => {
    metrics.slowConsumers.inc();
    // The connection is what holds too much, whoever else is on it.
    dismiss(socket, wireError('slow_consumer'), true);
  });
  const failed = failure(parts, 'a timer could not be looked after; it is tried again');
  const crons = initWorkshopCrons({ engine, log, timers: parts.timers, failed });

  return {
    nsp,
    ready: Promise.all([broadcasts.ready, presence.ready]).then(() => undefined),
    opened: presence.opened,
    isRefusing: draining.isRefusing,
    async drain(windowMs) {
      // Before the sockets go: their dropping is the server's restart, and nobody's leaving.
      presence.drain();
      await draining.run(windowMs);
    },
    async close(disconnecting) {
      readers.close();
      presence.drain();
      await disconnecting();
      detach();
      crons.close();
      await presence.close();
      await broadcasts.close();
    },
  };
}

/** Presence knows no sockets: it is told who has one here. */
function presenceHere(parts: NamespaceParts, broadcasts: () => RoomBroadcasts): NodePresence {
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
function admissionTo(parts: NamespaceParts, draining: Drain) {
  const admit = admitting(parts);
  return async (socket: WorkshopSocket): Promise<void> => {
    // Our own server has refused the session before; on another one others go on being served.
    if (parts.connections === 'shared' && draining.isRefusing()) throw refusal(wireError('unavailable'));
    try {
      await admit(socket);
    } catch (error) {
      if (!(error instanceof CodedError))
        parts.logger.error({ err: error }, 'a handshake failed unexpectedly');
      throw refusal(error instanceof CodedError ? asWireError(error) : wireError('internal'));
    }
  };
}

function refusal(data: ReturnType<typeof wireError>): Error {
  return Object.assign(new Error(data.code), { data });
}

function serve(
  nsp: WorkshopNamespace,
  socket: WorkshopSocket,
  { metrics, limits }: Pick<NamespaceParts, 'metrics' | 'limits'>,
): void {
  metrics.sockets.inc();
  if (socket.data.shares) countMessagesOf(socket, limits);
  socket.on('disconnect', () => {
    metrics.sockets.dec();
    // There is nothing else to be had on this connection: it would stay open with nobody signed in on it.
    if (!socket.data.shares) socket.conn.close();
  });
  socket.join(`user:${socket.data.user.userId}`);
  registerWorkshopHandlers(nsp, socket);
}

function failure({ metrics, logger }: NamespaceParts, message: string): (error: unknown) => void {
  return (error) => {
    metrics.faults.inc({ place: 'crons' });
    logger.warn({ err: error }, message);
  };
}

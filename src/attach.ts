/**
 * Workshops on a server that is there: the namespace `/workshop` on its Socket.IO, REST as a request listener, timers and projector
 * in its process. Nothing of the process is touched, no signal and no exit, and `close` gives back what was opened here.
 */
import type { Server as HttpServer, RequestListener } from 'node:http';
import { type Logger, pino } from 'pino';
import type { Server } from 'socket.io';
import { type RequestHandler, restHandler } from './api/handler.ts';
import { assemble, closeAll, type Doorway, type DoorwayParts } from './assembly.ts';
import { type Attaching, type AttachOptions, readOptions, requireSocketIo } from './attachOptions.ts';
import { type Execute, execution } from './execute.ts';
import { callersOfApplication } from './identity/callers.ts';
import { attachedSockets } from './lib/socket/index.ts';
import { registerWorkshopHandlers } from './lib/socket/workshop.ts';
import { namespace } from './protocol/wire.ts';
import { openStores } from './stores.ts';

export interface AttachedWorkshops {
  /** A Node request listener: takes `/api/workshops…` and the other routes of ours below `/api`, and passes over the rest. */
  handler: RequestHandler;
  execute: Execute;
  /** For who sets up connections of the namespace by hand; every connection has them anyway. */
  registerWorkshopHandlers: typeof registerWorkshopHandlers;
  /** Resolves once what is appended from now on reaches the sockets. */
  ready: Promise<void>;
  /** Ends what is under way and gives everything back. The Socket.IO server, its other namespaces and the HTTP server go on. */
  close(): Promise<void>;
}

/** How long answers that are being read may take at the end, in milliseconds. */
const lastAnswersMs = 4_000;

const attachedTo = new WeakSet<Server>();

/** Rejects with one line that says what is wrong, and has opened nothing then. */
export async function attachWorkshops(io: Server, options: AttachOptions): Promise<AttachedWorkshops> {
  requireSocketIo(io);
  const attaching = readOptions(options);
  if (attachedTo.has(io))
    throw new Error('attachWorkshops: this Socket.IO server has workshops already: close() those first');
  attachedTo.add(io);
  const { config, logger = ownLogger(config.LOG_LEVEL) } = attaching;
  const opened: (() => unknown)[] = [() => attachedTo.delete(io)];
  try {
    const stores = await openStores(config, logger);
    opened.unshift(() => stores.close());
    let handler: RequestHandler | undefined;
    const { engine, ready } = await assemble({
      ...{ config, logger, stores, opened, rest: {}, otherOrigins: originsOf(io) },
      callers: callersFor(attaching, logger),
      async open(parts) {
        const doorway = sharedDoorway(io, attaching, opened, parts);
        handler = doorway.handler;
        return doorway;
      },
    });
    // Nobody needs to wait for it; what fails is told by the log and the database themselves.
    ready.catch(() => undefined);
    let closing: Promise<void> | undefined;
    return {
      handler: (request, response, next) => handler?.(request, response, next),
      execute: execution({ engine, log: stores.log }),
      ...{ registerWorkshopHandlers, ready },
      close: () => (closing ??= closeAll(opened, logger)),
    };
  } catch (error) {
    await closeAll(opened, logger);
    throw error;
  }
}

function ownLogger(level: string): Logger {
  // Written at once: what waits would need a listener for the process' exit.
  return pino({ level }, pino.destination({ dest: 2, sync: true }));
}

function callersFor({ authenticate }: Attaching, logger: Logger) {
  if (authenticate === undefined) return undefined;
  const failed = (error: unknown) => logger.error({ err: error }, 'authenticate failed');
  return (origins: DoorwayParts['origins']) => callersOfApplication({ authenticate, origins, failed });
}

/** Those whose pages the server lets in by name are let in here too. */
function originsOf(io: Server): string[] {
  const { cors } = (io as unknown as { opts?: { cors?: { origin?: unknown } } }).opts ?? {};
  return [cors?.origin].flat().filter((each) => typeof each === 'string' && URL.canParse(each)) as string[];
}

/** On what is there. */
function sharedDoorway(
  io: Server,
  { config, http }: Attaching,
  opened: (() => unknown)[],
  { app, sockets: parts }: DoorwayParts,
): Doorway & { handler: RequestHandler } {
  opened.unshift(() => app.close());
  const without = config.guests ? [] : ['/api/guest'];
  const rest = restHandler(app, { basePath: config.basePath, without });
  opened.unshift(() => rest.close(lastAnswersMs));
  if (http !== undefined) opened.unshift(putInFront(http as HttpServer, rest.handler));
  const sockets = attachedSockets(io, parts);
  opened.unshift(() => sockets.close());
  return { handler: rest.handler, sockets, circle: reachesOthers(io) ? io.of(namespace) : undefined };
}

/** What others listen for is passed on to them. Returns the end of it. */
function putInFront(http: HttpServer, handler: RequestHandler): () => void {
  const others = http.listeners('request') as ((...request: unknown[]) => void)[];
  const listener: RequestListener = (request, response) => {
    const next = () => {
      for (const other of others) other.call(http, request, response);
    };
    // Whoever listens since then hears of it anyway.
    handler(request, response, others.length > 0 || http.listenerCount('request') > 1 ? next : undefined);
  };
  http.removeAllListeners('request').on('request', listener);
  return () => {
    // Where someone has put themselves in front since, it goes on passing everything over.
    if (!http.listeners('request').includes(listener)) return;
    http.off('request', listener);
    for (const other of others.reverse()) http.prependListener('request', other);
  };
}

/** Socket.IO's own adapters know of one process. */
function reachesOthers(io: Server): boolean {
  const { name } = io.of(namespace).adapter.constructor;
  return !['Adapter', 'SessionAwareAdapter', 'InMemoryAdapter'].includes(name);
}

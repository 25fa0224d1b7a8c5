/**
 * What serves a namespace just now. Socket.IO lets nobody take a middleware back, and a namespace may outlive what served it: so
 * each namespace gets one middleware and one listener for good, and they ask here.
 */
import type { Callers } from '../../identity/callers.ts';
import type { Limits } from '../../limits/limiter.ts';
import { wireError } from '../../protocol/errors.ts';
import type { SessionParts } from './session.ts';
import type { Logger, WorkshopNamespace, WorkshopSocket } from './socket.ts';

/** What the commands of a connection are done with. */
export interface SocketContext extends SessionParts {
  callers: Callers;
  limits: Limits;
  logger: Logger;
}

export interface Attachment {
  context: SocketContext;
  /** Rejects with the error that the client is told. */
  admit(socket: WorkshopSocket): Promise<void>;
  serve(socket: WorkshopSocket): void;
}

const attachments = new WeakMap<WorkshopNamespace, { current: Attachment | undefined }>();

/** From now on that is what serves the namespace. Returns the end of it: who connects then is told to come again. */
export function attach(nsp: WorkshopNamespace, attachment: Attachment): () => void {
  const place = attachments.get(nsp) ?? prepare(nsp);
  if (place.current !== undefined) throw new Error(`${nsp.name} is served already`);
  place.current = attachment;
  return () => {
    place.current = undefined;
  };
}

export function attachmentOf(nsp: WorkshopNamespace): Attachment | undefined {
  return attachments.get(nsp)?.current;
}

function prepare(nsp: WorkshopNamespace) {
  const place: { current: Attachment | undefined } = { current: undefined };
  attachments.set(nsp, place);
  nsp.use((socket, next) => {
    if (place.current === undefined) return next(gone());
    place.current.admit(socket).then(() => next(), next);
  });
  nsp.on('connection', (socket) => {
    if (place.current === undefined) socket.disconnect();
    else place.current.serve(socket);
  });
  withoutRecovery(nsp);
  return place;
}

function gone(): Error {
  const data = wireError('unavailable');
  return Object.assign(new Error(data.code), { data });
}

/**
 * Where the server has connection state recovery on, a connection that comes back would pass by the middleware, and so by the check
 * of who it is. Here it is a new one, and resumes by `after`.
 */
function withoutRecovery(nsp: WorkshopNamespace): void {
  Object.assign(nsp.adapter, { restoreSession: async () => undefined, persistSession: () => undefined });
}

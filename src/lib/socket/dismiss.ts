/** Ending a connection from this side, whether or not the other one still reads. */
import type { WireError } from '../../protocol/errors.ts';
import { wireName } from '../../protocol/wire.ts';
import type { Connection, WorkshopSocket } from './session.ts';

/** How long a dismissed connection has for reading what it was sent, in milliseconds. */
const lingerMs = 3_000;

/**
 * Tells the socket why, takes it out of its rooms at once – nothing more is sent to it, and its user has the grace of someone
 * who dropped – and closes the connection when what waits for it is read, or after a few seconds without that.
 */
export function dismiss(socket: WorkshopSocket, error: WireError): void {
  socket.emit(wireName('error'), error);
  socket.disconnect(true);
  cutOff(socket.conn);
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

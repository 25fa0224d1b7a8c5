/** Counts what connections send, before anything of it is parsed, and ends those that send without measure. */
import type { Server } from 'socket.io';
import type { Limits } from '../../limits/limiter.ts';
import { wireError } from '../../protocol/errors.ts';
import { dismiss, terminate } from './dismiss.ts';
import type { Connection, WorkshopNamespace } from './session.ts';

export function countMessages(io: Server, nsp: WorkshopNamespace, limits: Limits): void {
  let connections = 0;

  async function count(connection: Connection, account: string): Promise<void> {
    const verdict = await limits.take('message', { socket: account });
    if (verdict.ok || connection.readyState !== 'open') return;
    const socket = [...nsp.sockets.values()].find(({ conn }) => conn === connection);
    if (socket === undefined) terminate(connection);
    else dismiss(socket, { ...wireError('rate_limited'), retryAfterMs: verdict.retryAfterMs });
  }

  io.engine.on('connection', (connection: Connection) => {
    const account = String(++connections);
    // The first of all listeners: Socket.IO's own is the parser.
    connection.prependListener('data', () => void count(connection, account));
  });
}

/** The connections of an HTTP server, WebSockets too, which Node's own `closeAllConnections` leaves alone. */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';

export interface Connections {
  /** Waits for `closing`, and cuts what is still connected after so many milliseconds, so that it can end. */
  endWithin(ms: number, closing: Promise<unknown>): Promise<void>;
}

export function connectionsOf(server: Server): Connections {
  const open = new Set<Socket>();
  server.on('connection', (socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  return {
    async endWithin(ms, closing) {
      const cutting = setTimeout(() => {
        for (const socket of open) socket.destroy();
      }, ms);
      try {
        await closing;
      } finally {
        clearTimeout(cutting);
      }
    },
  };
}

/** What is measured beside: a bare Socket.IO server that relays chat to a room, checks nothing and keeps nothing. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';

const http = createServer();
const io = new Server(http, { serveClient: false });
io.of('/workshop').on('connection', (socket) => {
  socket.on(
    'workshop:join',
    ({ workshopId }: { workshopId: number }, acknowledge: (reply: unknown) => void) => {
      socket.join(String(workshopId));
      acknowledge({ ok: true });
    },
  );
  socket.on('workshop:chat', ({ workshopId, message }: { workshopId: number; message: string }) => {
    io.of('/workshop').to(String(workshopId)).emit('workshop:chat-message', { workshopId, message });
  });
});
http.listen(0, '127.0.0.1', () => {
  process.stdout.write(
    `${JSON.stringify({ url: `http://127.0.0.1:${(http.address() as AddressInfo).port}` })}\n`,
  );
});

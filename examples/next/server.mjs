// Workshops in a Next application, on a custom server of its own: `node server.mjs`
import { createServer } from 'node:http';
import next from 'next';
import { Server } from 'socket.io';
import { attachWorkshops } from 'workshop-rooms';
import { userOf } from './session.mjs';

const http = createServer();
const app = next({ dev: process.env.NODE_ENV !== 'production', httpServer: http });
await app.prepare();
http.on('request', app.getRequestHandler());

const io = new Server(http);
io.of('/chat').on('connection', (socket) => socket.on('echo', (text, answer) => answer(text)));
io.of('/notifications').on('connection', (socket) => socket.emit('welcome'));

const workshops = await attachWorkshops(io, {
  // REST is put in front of what Next answers.
  http,
  // With neither, everything lies in dataDir.
  log: process.env.REDIS_URL,
  database: process.env.DATABASE_URL,
  dataDir: process.env.DATA_DIR ?? './data',
  webhookAllowPrivate: process.env.WEBHOOK_ALLOW_PRIVATE,
  // Of a socket's handshake or of a request: the cookie is the one that the pages have.
  authenticate: ({ headers }) => userOf(headers.cookie),
});

http.listen(process.env.PORT ?? 3000, () => console.log(`listening on ${http.address().port}`));

process.once('SIGTERM', async () => {
  await workshops.close();
  await io.close();
  await app.close();
  // What watches the sources in development goes on otherwise.
  process.exit();
});

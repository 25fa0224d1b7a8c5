// Workshops in an application on Node's own http: `node http.mjs`
import { createServer } from 'node:http';
import { Server } from 'socket.io';
import { attachWorkshops } from 'workshop-rooms';

// Stands for your own sessions: who calls, or null.
const sessions = {
  'ada-session': { userId: 1, displayName: 'Ada', avatarUrl: null, roles: [] },
  'ben-session': { userId: 2, displayName: 'Ben', avatarUrl: null, roles: [] },
};

const http = createServer((_request, response) => response.end('the application'));
const io = new Server(http);
io.of('/chat').on('connection', (socket) => socket.on('echo', (text, answer) => answer(text)));

const workshops = await attachWorkshops(io, {
  http,
  // With neither, everything lies in dataDir.
  log: process.env.REDIS_URL,
  database: process.env.DATABASE_URL,
  dataDir: process.env.DATA_DIR ?? './data',
  // `auth` is what a socket's handshake carries; by REST it is the bearer's token.
  authenticate: ({ auth }) => sessions[auth.token] ?? null,
});

http.listen(process.env.PORT ?? 3000, () => console.log(`listening on ${http.address().port}`));

process.once('SIGTERM', async () => {
  await workshops.close();
  await io.close();
});

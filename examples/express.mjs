// Workshops in an application on Express 5: `node express.mjs`
import { createServer } from 'node:http';
import express from 'express';
import { Server } from 'socket.io';
import { attachWorkshops } from 'workshop-rooms';

// Stands for your own sessions: who calls, or null.
const sessions = {
  'ada-session': { userId: 1, displayName: 'Ada', avatarUrl: null, roles: [] },
  'ben-session': { userId: 2, displayName: 'Ben', avatarUrl: null, roles: [] },
};

const app = express();
const http = createServer(app);
const io = new Server(http);
io.of('/chat').on('connection', (socket) => socket.on('echo', (text, answer) => answer(text)));

const workshops = await attachWorkshops(io, {
  // With neither, everything lies in dataDir.
  log: process.env.REDIS_URL,
  database: process.env.DATABASE_URL,
  dataDir: process.env.DATA_DIR ?? './data',
  authenticate: ({ auth }) => sessions[auth.token] ?? null,
});

// Before or after what parses bodies: both will do.
app.use(express.json());
app.use(workshops.handler);
app.get('/', (_request, response) => response.send('the application'));

http.listen(process.env.PORT ?? 3000, () => console.log(`listening on ${http.address().port}`));

process.once('SIGTERM', async () => {
  await workshops.close();
  await io.close();
});

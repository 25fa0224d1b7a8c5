// Workshops in an application on Fastify 5: `node fastify.mjs`
import Fastify from 'fastify';
import { Server } from 'socket.io';
import { attachWorkshops } from 'workshop-rooms';

// Stands for your own sessions: who calls, or null.
const sessions = {
  'ada-session': { userId: 1, displayName: 'Ada', avatarUrl: null, roles: [] },
  'ben-session': { userId: 2, displayName: 'Ben', avatarUrl: null, roles: [] },
};

const app = Fastify();
const io = new Server(app.server);
io.of('/chat').on('connection', (socket) => socket.on('echo', (text, answer) => answer(text)));

const workshops = await attachWorkshops(io, {
  // With neither, everything lies in dataDir.
  log: process.env.REDIS_URL,
  database: process.env.DATABASE_URL,
  dataDir: process.env.DATA_DIR ?? './data',
  authenticate: ({ auth }) => sessions[auth.token] ?? null,
});

// Before Fastify reads the body. What is not ours goes on as usual.
app.addHook('onRequest', (request, reply, next) => {
  if (!request.url.startsWith('/api/workshops')) return next();
  reply.hijack();
  workshops.handler(request.raw, reply.raw);
});
app.get('/', () => 'the application');

await app.listen({ port: Number(process.env.PORT ?? 3000) });
console.log(`listening on ${app.server.address().port}`);

process.once('SIGTERM', async () => {
  await workshops.close();
  await io.close();
  await app.close();
});

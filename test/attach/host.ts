/** An application of its own, with a Socket.IO server that has another namespace, into which workshops are built. */
import { createServer, type Server as HttpServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { Server, type ServerOptions } from 'socket.io';
import { io as connect, type Socket } from 'socket.io-client';
import { type AttachedWorkshops, attachWorkshops } from '../../src/attach.ts';
import type { AttachOptions } from '../../src/attachOptions.ts';
import { dataFolder } from '../kit/dataFolder.ts';
import { clusterSettings, type Guest, type GuestTransports, guestOn, type Json } from '../kit/server.ts';
import { until } from '../kit/until.ts';

export interface Host {
  url: string;
  http: HttpServer;
  io: Server;
  workshops: AttachedWorkshops;
  /** REST, signed in by the application's own header. */
  rest(
    user: number | undefined,
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ status: number; body: Json }>;
  guest(user: number, transports?: ServerOptions['transports']): Promise<Guest>;
  /** A client of the application's own namespace. */
  chat(): Promise<Socket>;
  close(): Promise<void>;
}

export interface HostSettings {
  server?: Partial<ServerOptions>;
  /** Made before workshops are attached, and asked for what they pass over. */
  listener?: RequestListener;
  /** How the listener gets at the handler; in front of the application's own by itself if left out. */
  inFront?: boolean;
  /** On a folder of its own instead of the run's Redis and Postgres. */
  embedded?: boolean;
  options?: Partial<AttachOptions>;
}

/** The application knows its users by a header of its own, and by what the handshake carries. */
export const authenticate: AttachOptions['authenticate'] = ({ headers, auth }) => {
  const id = Number(
    auth.user ?? auth.token ?? headers['x-user'] ?? /user=(\d+)/.exec(headers.cookie ?? '')?.[1],
  );
  return id > 0 ? { userId: id, displayName: `User ${id}`, avatarUrl: null, roles: [] } : null;
};

export async function host({
  server,
  listener,
  inFront = true,
  embedded = false,
  options,
}: HostSettings = {}): Promise<Host> {
  const folder = embedded ? await dataFolder('attached') : undefined;
  const stores = folder === undefined ? await servers() : { dataDir: folder.path };
  const http = createServer(listener ?? ((_, response) => response.end('the application')));
  const io = new Server(http, server);
  io.of('/chat').on('connection', (socket) => socket.on('echo', (value, answer) => answer(value)));
  const clients: Socket[] = [];
  const guests: Guest[] = [];
  const workshops = await attachWorkshops(io, {
    ...{ ...stores, authenticate },
    ...{ presenceGraceMs: 300, rateLimitScale: 0, logger: pino({ level: 'fatal' }) },
    ...(inFront && { http }),
    ...options,
  });
  await workshops.ready;
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  return {
    ...{ url, http, io, workshops },
    async rest(user, method, path, body) {
      const answer = await fetch(url + path, {
        method,
        headers: {
          ...(user !== undefined && { 'x-user': String(user) }),
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const text = await answer.text();
      return { status: answer.status, body: text.startsWith('{') ? JSON.parse(text) : text };
    },
    async guest(user, transports) {
      const guest = guestOn(url, user, { user }, transports as GuestTransports);
      guests.push(guest);
      await until(() => guest.socket.connected, { what: `user ${user} to be connected` });
      return guest;
    },
    async chat() {
      const socket = connect(`${url}/chat`, { forceNew: true });
      clients.push(socket);
      await until(() => socket.connected, { what: 'the application to be reached' });
      return socket;
    },
    async close() {
      for (const guest of guests) guest.close();
      for (const socket of clients) socket.disconnect();
      await workshops.close();
      await io.close();
      await folder?.close();
    },
  };
}

/** A live workshop of user 1, to which users 2 and 3 have said they come. */
export async function liveWorkshop({ rest }: Pick<Host, 'rest'>): Promise<number> {
  const plan = { title: 'Sourdough', scheduledAt: new Date().toISOString() };
  const { id } = (await rest(1, 'POST', '/api/workshops', plan)).body;
  for (const user of [2, 3]) await rest(user, 'POST', `/api/workshops/${id}/rsvp`);
  await rest(1, 'POST', `/api/workshops/${id}/start`);
  return id;
}

async function servers(): Promise<Pick<AttachOptions, 'log' | 'database'>> {
  const { REDIS_URL: log, DATABASE_URL: database } = await clusterSettings();
  return { log, database };
}

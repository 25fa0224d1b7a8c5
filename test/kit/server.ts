/** The whole product in this process, as `workshop serve` starts it, and people who use it over real sockets. */
import { SignJWT } from 'jose';
import { pino } from 'pino';
import { io, type Socket } from 'socket.io-client';
import { readConfig } from '../../src/config.ts';
import type { CommandInput, CommandName } from '../../src/domain/catalog.ts';
import type { Reply, StateView } from '../../src/protocol/wire.ts';
import { type RunningServer, startServer } from '../../src/server.ts';
import { dataFolder } from './dataFolder.ts';
import { isAnswer, isDescribed } from './described.ts';
import { temporaryFolder } from './folder.ts';
import { migratedPostgres, sharedRedis } from './shared.ts';
import { until } from './until.ts';

export const secret = 'a secret of the tests, longer than thirty-two characters';

export interface TestServer {
  url: string;
  /** REST as that user; the answer's status and body. */
  rest(
    user: number | TokenOptions,
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ status: number; body: Json }>;
  /** A socket of that user, connected. */
  connect(user: number | TokenOptions, auth?: Record<string, unknown>): Promise<Guest>;
  close(): Promise<void>;
}

// biome-ignore lint/suspicious/noExplicitAny: bodies are looked into by assertions alone
export type Json = any;

/** REST of the node at that address. */
export function restAt(url: string): TestServer['rest'] {
  return async (user, method, path, body) => {
    const answer = await fetch(new URL(path, url), {
      method,
      headers: {
        authorization: `Bearer ${await token(asOptions(user))}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) };
  };
}

export interface TokenOptions {
  id: number;
  name?: string;
  roles?: string[];
  /** Seconds from now. */
  expiresIn?: number;
}

interface Header {
  workshopId: number;
  commandId?: string;
}

/** A payload without fields of its own forbids none that the header has. */
type Own<N extends CommandName> = CommandInput[N] extends Record<string, never> ? unknown : CommandInput[N];

/** A socket and all that it received. */
export interface Guest {
  id: number;
  socket: Socket;
  /** Every message but acknowledgements, in order. */
  heard: { name: string; payload: Json }[];
  say<N extends CommandName>(name: N, payload: Header & Own<N>): Promise<Reply>;
  /** Any message at all. */
  ask(event: string, ...values: unknown[]): Promise<Json>;
  /** The payloads of one kind of message. */
  all(name: string): Json[];
  /** The next or an earlier message of that name, once it is there. */
  hears(name: string, matches?: (payload: Json) => boolean): Promise<Json>;
  state(): Promise<StateView>;
  close(): void;
}

export async function token({
  id,
  name = `User ${id}`,
  roles,
  expiresIn = 3_600,
}: TokenOptions): Promise<string> {
  return new SignJWT({ name, ...(roles && { roles }) })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(String(id))
    .setExpirationTime(Math.floor(Date.now() / 1_000) + expiresIn)
    .sign(Buffer.from(secret));
}

const asOptions = (user: number | TokenOptions): TokenOptions =>
  typeof user === 'number' ? { id: user } : user;

/** Settings of a node on the run's shared Redis and Postgres, in databases of its own; several nodes may share them. */
export async function clusterSettings(): Promise<Record<string, string>> {
  return { REDIS_URL: await sharedRedis(), DATABASE_URL: await migratedPostgres() };
}

/** With no settings it is embedded, in a folder of its own that goes with it. `undefined` takes a setting away. */
export async function testServer(settings: Record<string, string | undefined> = {}): Promise<TestServer> {
  const folder = await (settings.DATABASE_URL === undefined ? dataFolder : temporaryFolder)('data');
  const config = readConfig({
    NODE_ENV: 'test',
    PORT: '0',
    AUTH_SECRET: secret,
    DATA_DIR: folder.path,
    PRESENCE_GRACE_MS: '300',
    PRESENCE_LEASE_MS: '2000',
    // Tests close their servers in the order that suits them.
    DRAIN_MS: '0',
    ...settings,
  });
  let server: RunningServer;
  try {
    server = await startServer(config, pino({ level: process.env.TEST_LOG_LEVEL ?? 'fatal' }));
  } catch (error) {
    await folder.close();
    throw error;
  }
  const { url } = server.about;
  if (config.embedded) {
    const isReady = async () => ((await (await fetch(`${url}/readyz`)).json()) as Json).status === 'ready';
    await until(isReady, { what: 'the embedded database', timeout: 60_000 });
  }
  const guests = new Set<Guest>();
  return {
    url,
    rest: restAt(url),
    async connect(user, auth = {}) {
      const options = asOptions(user);
      const guest = guestOn(url, options.id, { token: await token(options), ...auth });
      guests.add(guest);
      await until(() => guest.socket.connected, { what: `user ${options.id} to be connected` });
      return guest;
    },
    async close() {
      for (const guest of guests) guest.close();
      await server.close();
      await folder.close();
    },
  };
}

export type GuestTransports = ('websocket' | 'polling')[];

export function guestOn(
  url: string,
  id: number,
  auth: Record<string, unknown>,
  transports: GuestTransports = ['websocket'],
): Guest {
  const socket = io(`${url}/workshop`, {
    auth,
    transports,
    forceNew: true,
    reconnection: false,
  });
  const heard: Guest['heard'] = [];
  socket.onAny((name: string, payload: Json) => {
    isDescribed(name, payload);
    heard.push({ name, payload });
  });
  const all = (name: string) =>
    heard.filter((each) => each.name === `workshop:${name}`).map(({ payload }) => payload);
  const hears: Guest['hears'] = (name, matches = () => true) =>
    until(() => all(name).find(matches), { what: `user ${id} to hear ${name}` });
  return {
    id,
    socket,
    heard,
    async say(name, payload) {
      const reply = await socket.timeout(5_000).emitWithAck(`workshop:${name}`, payload);
      isAnswer(`workshop:${name}`, reply);
      return reply;
    },
    ask: (event, ...values) => socket.timeout(5_000).emitWithAck(event, ...values),
    all,
    hears,
    state: () => hears('state'),
    close: () => void socket.disconnect(),
  };
}

/** A public workshop of user 1, live, with RSVPs of these users. */
export async function liveWorkshop(
  server: Pick<TestServer, 'rest'>,
  members: readonly number[],
  more: Record<string, unknown> = {},
): Promise<number> {
  const plan = { title: 'Sourdough', scheduledAt: new Date().toISOString(), ...more };
  const { status, body } = await server.rest(1, 'POST', '/api/workshops', plan);
  if (status !== 201) throw new Error(`a workshop could not be scheduled: ${JSON.stringify(body)}`);
  const workshopId: number = body.id;
  await Promise.all(
    members.map((member) => server.rest(member, 'POST', `/api/workshops/${workshopId}/rsvp`)),
  );
  await server.rest(1, 'POST', `/api/workshops/${workshopId}/start`);
  return workshopId;
}

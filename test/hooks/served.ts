/**
 * `workshop serve` for tests of the hooks, embedded, in a process of its own: they run among a window's globals, where no
 * server would. The hooks reach it through a network that a test can break; other people reach it directly.
 */
import { createHmac } from 'node:crypto';
import { io, type Socket } from 'socket.io-client';
import type { CommandName } from '../../src/domain/catalog.ts';
import type { Reply } from '../../src/protocol/wire.ts';
import { dataFolder } from '../kit/dataFolder.ts';
import { type Network, networkTo } from '../kit/network.ts';
import { startProcess } from '../kit/process.ts';
import { program } from '../kit/program.ts';
import { until } from '../kit/until.ts';

const secret = 'a secret of the tests, longer than thirty-two characters';

/** An event as the history tells it. */
export interface Told {
  version: number;
  type: string;
  at: string;
  data: Record<string, unknown>;
}

export type Served = Awaited<ReturnType<typeof served>>;

export async function served(settings: Record<string, string> = {}) {
  const folder = await dataFolder('data');
  const server = await startProcess({
    command: process.execPath,
    args: [program, 'serve', '--json'],
    env: {
      NODE_ENV: 'test',
      PORT: '0',
      AUTH_SECRET: secret,
      DATA_DIR: folder.path,
      GUESTS: 'true',
      RATE_LIMIT_SCALE: '0',
      LOG_LEVEL: 'warn',
      REDIS_URL: undefined,
      DATABASE_URL: undefined,
      ...settings,
    },
  });
  const [, origin = ''] = await server.waitFor(/"url":"([^"]+)"/, 25_000);
  const network: Network = await networkTo(origin);
  const people = new Map<number, Socket>();

  async function rest(user: number, method: string, path: string, body?: object): Promise<unknown> {
    const answer = await fetch(origin + path, {
      method,
      headers: {
        authorization: `Bearer ${token(user)}`,
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    const answered: unknown = await answer.json();
    if (!answer.ok) throw new Error(`${method} ${path}: ${JSON.stringify(answered)}`);
    return answered;
  }

  async function socketOf(user: number): Promise<Socket> {
    const known = people.get(user);
    if (known !== undefined) return known;
    const auth = { token: token(user) };
    const socket = io(`${origin}/workshop`, { auth, forceNew: true, transports: ['websocket'] });
    people.set(user, socket);
    await until(() => socket.connected, { what: `user ${user} to be connected` });
    return socket;
  }

  return {
    /** Where the hooks find it. */
    url: network.url,
    network,
    /** Past the network: REST keeps connections open, which `clear` would wait for. */
    origin,
    rest,
    /** A public workshop of user 1, live, with RSVPs of users 2 to 4. */
    async liveWorkshop(title = 'Sourdough'): Promise<number> {
      const plan = { title, scheduledAt: '2030-01-01T12:00:00.000Z' };
      // The route's answer: it names the workshop.
      const { id } = (await rest(1, 'POST', '/api/workshops', plan)) as { id: number };
      for (const user of [2, 3, 4]) await rest(user, 'POST', `/api/workshops/${id}/rsvp`);
      await rest(1, 'POST', `/api/workshops/${id}/start`);
      return id;
    },
    /** Someone else does something in the room, over a socket of their own; throws where that changed nothing. */
    async does(user: number, name: CommandName, workshopId: number, more: object = {}): Promise<number> {
      const socket = await socketOf(user);
      const reply: Reply = await socket
        .timeout(5_000)
        .emitWithAck(`workshop:${name}`, { workshopId, ...more });
      if (!reply.ok || !reply.changed) throw new Error(`${name}: ${JSON.stringify(reply)}`);
      return reply.version;
    },
    /** Everything that was recorded in the workshop. */
    async events(workshopId: number, ...types: string[]): Promise<Told[]> {
      const path = `/api/workshops/${workshopId}/events?limit=1000`;
      const { items } = (await rest(1, 'GET', path)) as { items: Told[] };
      return types.length === 0 ? items : items.filter(({ type }) => types.includes(type));
    },
    /** The others go, without leaving; the network is whole again. To be called after each test. */
    async clear(): Promise<void> {
      for (const socket of people.values()) socket.disconnect();
      people.clear();
      network.mend();
      await until(() => network.open() === 0, { what: 'the hooks to have disconnected' });
    },
    async close(): Promise<void> {
      await network.close();
      await server.stop();
      await folder.close();
    },
  };
}

/** A token of `User <id>` that counts for so many seconds. By hand: the library takes no keys from among a window's globals. */
export function token(user: number, seconds = 3_600): string {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const exp = Math.floor(Date.now() / 1_000) + seconds;
  const signed = `${encode({ alg: 'HS256' })}.${encode({ sub: String(user), name: `User ${user}`, exp })}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

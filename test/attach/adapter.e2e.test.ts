/** Two servers of an application that has an adapter of its own between them, over the same Redis that the rooms are in. */
import { createAdapter } from '@socket.io/redis-streams-adapter';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clusterSettings } from '../kit/server.ts';
import { until } from '../kit/until.ts';
import { authenticate, type Host, host, liveWorkshop } from './host.ts';

let clients: Redis[];
let here: Host;
let there: Host;

beforeAll(async () => {
  const { REDIS_URL: log = '', DATABASE_URL: database } = await clusterSettings();
  clients = [new Redis(log), new Redis(log)];
  const asOperators: typeof authenticate = async (call) => {
    const user = await authenticate?.(call);
    return user ? { ...user, roles: ['admin'] } : null;
  };
  const options = { log, database, authenticate: asOperators, drainMs: 100 };
  [here, there] = (await Promise.all(
    clients.map((client) =>
      // Its readers notice a close only when a wait is over.
      host({ server: { adapter: createAdapter(client, { blockTimeInMs: 500 }) }, options }),
    ),
  )) as [Host, Host];
}, 30_000);
afterAll(async () => {
  for (const each of [here, there]) await each.close();
  for (const client of clients) client.disconnect();
});

describe('[AT10] between servers with an adapter of the application', () => {
  it('a room is told everything once and in order, on each of them', async () => {
    const workshopId = await liveWorkshop(here);
    const [ada, ben] = [await here.guest(2), await there.guest(3)];
    for (const guest of [ada, ben])
      expect(await guest.say('join', { workshopId })).toMatchObject({ ok: true });
    const said = Array.from({ length: 20 }, (_, n) => `message ${n}`);
    for (const [n, message] of said.entries())
      await (n % 2 === 0 ? ada : ben).say('chat', { workshopId, message });
    for (const guest of [ada, ben]) {
      await guest.hears('chat-message', ({ message }) => message === said.at(-1));
      expect(guest.all('chat-message').map(({ message }) => message)).toEqual(said);
    }
    await here.rest(1, 'POST', `/api/workshops/${workshopId}/end`);
    await ben.hears('state-changed', ({ status }) => status === 'ended');
  });

  it('its own namespaces reach across as before', async () => {
    const far = await there.chat();
    const heard: string[] = [];
    far.on('news', (text) => heard.push(text));
    here.io.of('/chat').emit('news', 'from the other one');
    await until(() => heard.length > 0, { what: 'the news' });
    expect(heard).toEqual(['from the other one']);
  });

  it('operators see all of them from each', async () => {
    for (const each of [here, there]) {
      const { body } = await each.rest(1, 'GET', '/api/admin/status');
      expect(body.nodes).toHaveLength(2);
    }
  });

  it('one is closed, and the adapter goes on for the rest', async () => {
    await there.workshops.close();
    const [near, far] = [await here.chat(), await there.chat()];
    const heard: string[] = [];
    near.on('news', (text) => heard.push(text));
    there.io.of('/chat').emit('news', 'still here');
    await until(() => heard.length > 0, { what: 'the news' });
    expect(await far.emitWithAck('echo', 'and answers')).toBe('and answers');
    const { body } = await here.rest(1, 'GET', '/api/admin/status');
    expect(body.nodes).toHaveLength(1);
  });
});

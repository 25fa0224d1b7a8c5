/** A crowd that comes into one room together: what each of them gets, and what happens meanwhile. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RawClient, rawClient, received } from '../kit/rawClient.ts';
import {
  clusterSettings,
  type Guest,
  type Json,
  liveWorkshop,
  type TestServer,
  testServer,
  token,
} from '../kit/server.ts';
import { until } from '../kit/until.ts';

const people = Array.from({ length: 150 }, (_, n) => 100 + n);
const removed = 101;
const resuming = 102;

let server: TestServer;
let host: Guest;
const clients = new Map<number, RawClient>();

beforeAll(async () => {
  server = await testServer({ ...(await clusterSettings()), RATE_LIMIT_SCALE: '0' });
});
afterAll(async () => {
  for (const client of clients.values()) client.close();
  await server.close();
});

const of = (id: number): RawClient => clients.get(id) ?? expect.unreachable();
const states = (client: RawClient): Json[] => received(client, 'workshop:state');
/** Events that came in batches, in the order of coming. */
const told = (client: RawClient): Json[] =>
  received(client, 'workshop:events').flatMap(({ events }) => events);

it('[M26] gets one state each with everybody in it, and then what happens', { timeout: 60_000 }, async () => {
  const workshopId = await liveWorkshop(server, people);
  host = await server.connect(1);
  await host.say('join', { workshopId });
  const { version: before, epoch } = await host.state();
  for (const id of people)
    clients.set(id, await rawClient(server.url, { auth: { token: await token({ id }) } }));

  const joins = people.map((id) => {
    const after = id === resuming ? { version: before, epoch } : undefined;
    return of(id).ask('workshop:join', { workshopId, batch: true, ...(after && { after }) });
  });
  await joins[1];
  // While they wait to be let in.
  await host.say('chat', { workshopId, message: 'welcome' });
  await host.say('remove-user', { workshopId, targetUserId: removed });
  const replies = await Promise.all(joins);
  expect(replies.filter(({ ok }) => !ok)).toEqual([]);
  await host.say('chat', { workshopId, message: 'all here?' });
  const { version } = (await server.rest(1, 'GET', `/api/workshops/${workshopId}`)).body;

  for (const [n, id] of people.entries()) {
    const client = of(id);
    if (id === removed) continue;
    const known = () => told(client).at(-1)?.version ?? states(client)[0]?.version;
    await until(() => known() === version, { what: `everything to reach ${id}` });
    const [state] = states(client);
    const from = id === resuming ? before : state.version;
    expect(told(client).map((event) => event.version)).toEqual(
      Array.from({ length: version - from }, (_, index) => from + 1 + index),
    );
    if (id === resuming) continue;
    expect(states(client)).toHaveLength(1);
    expect(state.version).toBeGreaterThanOrEqual(replies[n].version);
    const said = [...state.chat, ...told(client)].map(({ message }) => message).filter(Boolean);
    expect(said).toEqual(['welcome', 'all here?']);
  }
  // Half of all comings would be told to everyone, if each were let in by himself.
  const comings = people.flatMap((id) =>
    id === resuming ? [] : told(of(id)).filter(({ type }) => type === 'user-joined'),
  );
  expect(comings.length).toBeLessThan((people.length * people.length) / 8);
  expect(of(removed).heard.at(-1)?.[1].events.at(-1)).toMatchObject({
    type: 'user-removed',
    userId: removed,
  });
});

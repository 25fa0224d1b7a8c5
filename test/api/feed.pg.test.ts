/** `GET /api/feed`, as a warehouse reads it. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Json } from '../kit/server.ts';
import { until } from '../kit/until.ts';
import { people, type RestServer, restServer } from './restServer.ts';

let server: RestServer;
const { host, member, analyst, admin } = people;
const asLines = { headers: { accept: 'application/x-ndjson' } };

beforeAll(async () => {
  server = await restServer();
}, 60_000);
afterAll(() => server.close());

const get = (query = '', who = analyst, options = {}) =>
  server.ask(who, `GET /api/feed${query}`, undefined, options);
const after = (cursor: string, more = '') => `?after=${encodeURIComponent(cursor)}${more}`;

/** Everything after the cursor, once the tables have that version. */
async function rest(cursor?: string): Promise<{ items: Json[]; cursor: string }> {
  const items: Json[] = [];
  for (let from = cursor; ; ) {
    const { body } = await get(from === undefined ? '?limit=7' : after(from, '&limit=7'));
    items.push(...body.items);
    from = body.nextCursor as string;
    if (body.items.length === 0) return { items, cursor: from };
  }
}

const folded = (id: number, minVersion: number) =>
  server.ask(host, `GET /api/workshops/${id}/chat?minVersion=${minVersion}`);

it('[N5] tells every workshop’s events as its history does, with its number, to analysts and admins', async () => {
  const [one, other] = [
    await server.workshop({ live: true }),
    await server.workshop({ visibility: 'private' }),
  ];
  await server.command(one, member, 'join');
  const said = await server.command(one, member, 'chat', { message: 'Which yarn?' });
  await folded(one, said);
  const history = async (id: number) =>
    (await server.ask(analyst, `GET /api/workshops/${id}/events`)).body.items;
  await until(
    async () => (await rest()).items.length === (await history(one)).length + (await history(other)).length,
    {
      what: 'the tables to follow',
    },
  );
  const { items } = await rest();
  for (const id of [one, other]) {
    const mine = items.filter(({ workshopId }) => workshopId === id);
    expect(mine.map(({ workshopId, ...event }) => event)).toEqual(await history(id));
  }
  expect((await get('', admin)).status).toBe(200);
});

it('[N5] tells nothing to anyone else', async () => {
  expect(await get('', host)).toMatchObject({ status: 403, body: { error: { code: 'forbidden' } } });
  expect(await server.ask(null, 'GET /api/feed')).toMatchObject({ status: 401 });
});

it('[N5] writes lines, the last of them with the cursor that the page has', async () => {
  const { body } = await get('?limit=5');
  const { text, headers } = await get('?limit=5', analyst, asLines);
  expect(headers['content-type']).toMatch(/^application\/x-ndjson/);
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines).toEqual([...body.items, { nextCursor: body.nextCursor }]);
});

it('[N6] waits for what comes, and answers as soon as it is there', async () => {
  const { cursor } = await rest();
  const began = performance.now();
  const waiting = get(after(cursor, '&waitMs=20000'));
  const id = await server.workshop();
  const { body } = await waiting;
  expect(body.items[0]).toMatchObject({ workshopId: id, version: 1, type: 'workshop-scheduled' });
  expect(performance.now() - began).toBeLessThan(15_000);
});

it('[N6] answers with nothing, and with where to go on, when the time is over', async () => {
  const { cursor } = await until(
    async () => {
      const found = await rest();
      // The workshop of the test before has four events.
      return (await rest(found.cursor)).items.length === 0 && found;
    },
    { what: 'the tables to rest' },
  );
  const began = performance.now();
  const { status, body } = await get(after(cursor, '&waitMs=600'));
  expect({ status, body }).toEqual({ status: 200, body: { items: [], nextCursor: cursor } });
  expect(performance.now() - began).toBeGreaterThanOrEqual(595);
});

it('[N7] has no text that was deleted since, and nothing of a person who was erased', async () => {
  const id = await server.workshop({ live: true });
  await server.command(id, member, 'join');
  const kept = await server.command(id, member, 'chat', { message: 'of Mel' });
  const taken = await server.command(id, member, 'chat', { message: 'regretted' });
  const last = await server.command(id, member, 'delete-chat', { messageId: taken });
  await folded(id, last);
  const ofThis = async () => (await rest()).items.filter(({ workshopId }) => workshopId === id);
  await until(async () => (await ofThis()).length === last, { what: 'all events' });
  const message = async (version: number) => (await ofThis()).find((event) => event.version === version).data;
  expect(await message(taken)).toMatchObject({ message: null, deleted: true });
  expect(await message(kept)).toMatchObject({ message: 'of Mel', displayName: 'Mel Member' });
  expect((await server.ask(admin, `POST /api/admin/erasures/${member.userId}`)).status).toBe(202);
  await until(async () => (await message(kept)).message === null, { what: 'the person to be gone' });
  expect(JSON.stringify(await ofThis())).not.toContain('Mel Member');
});

it.each([
  ['?after=', /after/],
  ['?after=nonsense', /after: the cursor is not one that was given out here/],
  ['?limit=0', /limit/],
  ['?limit=1001', /limit/],
  ['?limit=x', /limit/],
  ['?waitMs=30001', /waitMs/],
  ['?waitMs=-1', /waitMs/],
])('[N5] names what is wrong with %s', async (query, said) => {
  const { status, body } = await get(query);
  expect(status).toBe(400);
  expect(body.error.code).toBe('invalid_payload');
  expect(body.error.message).toMatch(said);
});

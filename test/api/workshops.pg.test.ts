/** Scheduling, changing and finding workshops, from the first step to the last. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { people, type RestServer, restServer } from './restServer.ts';

let server: RestServer;

beforeAll(async () => {
  server = await restServer();
});
afterAll(() => server.close());

const { host, coHost, member, stranger } = people;

it('schedules a workshop and gives it as it will be found', async () => {
  const made = await server.ask(host, 'POST /api/workshops', {
    ...{ title: '  Felting ', description: 'Wool', scheduledAt: '2030-05-01T12:00:00+02:00' },
    ...{ durationMinutes: 90, visibility: 'private', capacity: 12, unknown: true },
  });
  expect(made).toMatchObject({ status: 201, headers: { location: `/api/workshops/${made.body.id}` } });
  expect(made.body).toEqual({
    ...{ id: made.body.id, hostId: 1, coHostIds: [], title: 'Felting', description: 'Wool' },
    ...{ visibility: 'private', status: 'scheduled', capacity: 12, durationMinutes: 90 },
    ...{ scheduledAt: '2030-05-01T10:00:00.000Z', startedAt: null, endedAt: null },
    ...{ createdAt: expect.stringMatching(/Z$/), version: 1, attendeeCount: 0 },
  });
  const found = await server.ask(host, `GET /api/workshops/${made.body.id}`);
  expect(found.body).toEqual(made.body);
});

it('schedules once under a key as long as keys may be', async () => {
  const key = { headers: { 'idempotency-key': '~'.repeat(255) } };
  const workshop = { title: 'Felting', scheduledAt: '2030-05-01T10:00:00Z' };
  const first = await server.ask(host, 'POST /api/workshops', workshop, key);
  const again = await server.ask(host, 'POST /api/workshops', workshop, key);
  expect(again).toMatchObject({ status: 201, body: { id: first.body.id, version: 1 } });
});

it('shows each change as soon as it was acknowledged', async () => {
  const id = await server.workshop();
  const { version } = (await server.ask(host, `GET /api/workshops/${id}`)).body;
  const patched = await server.ask(host, `PATCH /api/workshops/${id}`, { title: 'Spinning', capacity: null });
  expect(patched.body).toEqual({ version: version + 1, changed: true });
  const again = await server.ask(host, `PATCH /api/workshops/${id}`, { title: 'Spinning' });
  expect(again.body).toEqual({ version: version + 1, changed: false });
  await server.ask(stranger, `POST /api/workshops/${id}/rsvp`);
  await server.command(id, stranger, 'join');
  const found = await server.ask(stranger, `GET /api/workshops/${id}`);
  expect(found.body).toMatchObject({ title: 'Spinning', attendeeCount: 1, coHostIds: [coHost.userId] });
});

it('leads through every step, with or without an empty body, and says which is out of place', async () => {
  const id = await server.workshop();
  const step = async (name: string, body?: object) => {
    const answer = await server.ask(host, `POST /api/workshops/${id}/${name}`, body);
    return [answer.status, answer.body.changed ?? answer.body.error.code];
  };
  expect(await step('end')).toEqual([409, 'invalid_state']);
  expect(await step('open-lobby')).toEqual([200, true]);
  expect(await step('open-lobby', {})).toEqual([200, false]);
  expect(await step('start', {})).toEqual([200, true]);
  expect(await step('cancel')).toEqual([409, 'invalid_state']);
  expect(await step('end')).toEqual([200, true]);
  expect(await step('end')).toEqual([200, false]);
  expect(await step('start')).toEqual([409, 'invalid_state']);
  const { body } = await server.ask(host, `GET /api/workshops/${id}`);
  expect(body).toMatchObject({ status: 'ended', startedAt: expect.any(String), endedAt: expect.any(String) });
});

it('takes a command with a content type and nothing in it', async () => {
  const id = await server.workshop();
  const answer = await server.ask(host, `POST /api/workshops/${id}/start`, '', {
    headers: { 'content-type': 'application/json' },
  });
  expect(answer).toMatchObject({ status: 200, body: { changed: true } });
});

it('refuses to withdraw an RSVP while present', async () => {
  const id = await server.workshop();
  await server.command(id, member, 'join');
  const answer = await server.ask(member, `DELETE /api/workshops/${id}/rsvp`);
  expect(answer).toMatchObject({ status: 409, body: { error: { code: 'invalid_state' } } });
});

it('lists attendees and chat from the tables once they hold the version that was asked for', async () => {
  const id = await server.workshop({ live: true });
  await server.command(id, member, 'join');
  const first = await server.command(id, member, 'chat', { message: 'hello' });
  await server.command(id, member, 'chat', { message: 'all' });
  const gone = await server.ask(member, `DELETE /api/workshops/${id}/chat/${first}`);
  expect(gone.body).toEqual({ version: first + 2, changed: true });
  const { version } = gone.body;

  const chat = await server.ask(coHost, `GET /api/workshops/${id}/chat?minVersion=${version}`);
  expect(chat.body).toMatchObject({
    items: [
      { id: first, message: null, deleted: true },
      { id: first + 1, message: 'all' },
    ],
    nextCursor: null,
  });
  const attendees = await server.ask(member, `GET /api/workshops/${id}/attendees?limit=2`);
  expect(attendees.body.items).toMatchObject([
    { userId: coHost.userId, status: 'invited', isCoHost: true, displayName: null },
    { userId: member.userId, status: 'joined', displayName: member.displayName },
  ]);
  const rest = await server.ask(
    member,
    `GET /api/workshops/${id}/attendees?limit=2&cursor=${attendees.body.nextCursor}`,
  );
  expect(rest.body).toMatchObject({ items: [{ userId: 5, status: 'removed' }], nextCursor: null });
});

it('answers unavailable where the tables do not come to the version in time', async () => {
  const id = await server.workshop();
  const started = performance.now();
  const answer = await server.ask(member, `GET /api/workshops/${id}/chat?minVersion=9999`);
  expect(performance.now() - started).toBeGreaterThan(1_900);
  expect(answer).toMatchObject({ status: 503, body: { error: { code: 'unavailable' } } });
  expect(answer.headers['retry-after']).toBe('1');
});

it('lists workshops page by page, the newest first, with the fields of the single one', async () => {
  const ids: number[] = [];
  for (let count = 0; count < 3; count++) ids.unshift(await server.workshop());
  const newest = ids[0] ?? 0;
  const { body: single } = await server.ask(host, `GET /api/workshops/${newest}`);
  await server.ask(host, `GET /api/workshops/${newest}/chat?minVersion=${single.version}`);
  const page = await server.ask(stranger, 'GET /api/workshops?limit=2');
  expect(page.body.items.map((item: { id: number }) => item.id)).toEqual(ids.slice(0, 2));
  const { coHostIds: _, attendeeCount: __, ...listed } = single;
  expect(page.body.items[0]).toEqual(listed);
  const next = await server.ask(stranger, `GET /api/workshops?limit=1&cursor=${page.body.nextCursor}`);
  expect(next.body.items[0].id).toBe(ids[2]);
});

it('lets an author, and an admin who was never there, take a message out after the end', async () => {
  const id = await server.workshop({ live: true });
  await server.command(id, member, 'join');
  const mine = await server.command(id, member, 'chat', { message: 'mine' });
  const other = await server.command(id, member, 'chat', { message: 'other' });
  await server.command(id, host, 'end');
  for (const [who, message] of [
    [member, mine],
    [people.admin, other],
  ] as const) {
    const answer = await server.ask(who, `DELETE /api/workshops/${id}/chat/${message}`);
    expect(answer).toMatchObject({ status: 200, body: { changed: true } });
    const again = await server.ask(who, `DELETE /api/workshops/${id}/chat/${message}`);
    expect(again).toMatchObject({ status: 200, body: { changed: false } });
  }
});

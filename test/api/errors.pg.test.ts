/** What is not valid: the answer is always `{ error: { code, message } }`, says where, and is never a fault of ours. */
import { connect } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { people, type RestServer, restServer } from './restServer.ts';

let server: RestServer;
let id: number;

beforeAll(async () => {
  server = await restServer({ projecting: false });
  id = await server.workshop();
});
afterAll(() => server.close());

const json = { headers: { 'content-type': 'application/json' } };
const workshop = { title: 'Felting', scheduledAt: '2030-05-01T10:00:00Z' };

it.each([
  ['a body that is not JSON', 'POST /api/workshops', '{', 400, /JSON/],
  ['a body that reaches for the prototype', 'POST /api/workshops', '{"__proto__":{"title":"x"}}', 400, /./],
  ['a constructor in the body', 'POST /api/workshops', '{"constructor":{"prototype":{}}}', 400, /./],
  ['no body where one is needed', 'POST /api/workshops', '', 400, /^payload: /],
  ['a list for a body', 'POST /api/workshops', '[]', 400, /^payload: /],
  ['null for a body', 'PATCH /api/workshops/ID', '"title"', 400, /^payload: /],
  ['a missing field', 'POST /api/workshops', '{"title":"x"}', 400, /^scheduledAt: /],
  ['a field of another type', 'PATCH /api/workshops/ID', '{"title":4}', 400, /^title: /],
  [
    'an item of another type',
    'POST /api/workshops/ID/invitations',
    '{"userIds":[1,2,3,"4"]}',
    400,
    /^userIds\.3: /,
  ],
  [
    'a text that is too long',
    'POST /api/guest',
    `{"displayName":"${'a'.repeat(81)}"}`,
    400,
    /^displayName: /,
  ],
  ['a body of 64 KiB and more', 'POST /api/workshops', `"${'a'.repeat(65_536)}"`, 413, /too large/],
] as const)('answers %s with invalid_payload', async (_, request, body, status, message) => {
  const answer = await server.ask(people.host, request.replace('ID', String(id)), body, json);
  expect(answer).toMatchObject({ status, body: { error: { code: 'invalid_payload' } } });
  expect(answer.body.error.message).toMatch(message);
});

it('takes JSON alone, which no form of another site can send', async () => {
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
    const body = JSON.stringify(workshop);
    const answer = await server.ask(people.host, 'POST /api/workshops', body, {
      headers: { 'content-type': type },
    });
    expect(answer).toMatchObject({ status: 415, body: { error: { code: 'invalid_payload' } } });
  }
});

it('takes 500 large ids at once', async () => {
  const userIds = Array.from({ length: 500 }, (_, index) => Number.MAX_SAFE_INTEGER - index);
  const answer = await server.ask(people.host, `POST /api/workshops/${id}/invitations`, { userIds });
  expect(answer).toMatchObject({ status: 200, body: { changed: true } });
});

it.each(['0', '-1', '1.5', '1e3', '01', 'x', '9007199254740992', '9'.repeat(400), '%00', '1%20'])(
  'names the parameter where an id in the address is %s',
  async (bad) => {
    const answer = await server.ask(people.host, `GET /api/workshops/${bad}`);
    expect(answer).toMatchObject({ status: 400, body: { error: { code: 'invalid_payload' } } });
    expect(answer.body.error.message).toMatch(/^id: /);
    const message = await server.ask(people.host, `DELETE /api/workshops/${id}/chat/${bad}`);
    expect(message.body.error.message).toMatch(/^messageId: /);
  },
);

it.each([
  ['attendees?limit=0', /^limit: /],
  ['attendees?limit=501', /^limit: /],
  ['attendees?limit=1&limit=2', /^limit: /],
  ['attendees?limit=many', /^limit: /],
  ['attendees?limit=1e2', /^limit: /],
  ['attendees?limit=0x10', /^limit: /],
  ['attendees?minVersion=', /^minVersion: /],
  ['attendees?cursor=!', /cursor/],
  ['attendees?minVersion=-1', /^minVersion: /],
  ['chat?limit=1.5', /^limit: /],
  ['events?limit=1001', /^limit: /],
  ['events?after=-1', /^after: /],
  ['events?type=hand-waved', /^type: /],
  ['events?userId=me', /^userId: /],
])('names what is wrong in %s', async (query, message) => {
  const answer = await server.ask(people.host, `GET /api/workshops/${id}/${query}`);
  expect(answer).toMatchObject({ status: 400, body: { error: { code: 'invalid_payload' } } });
  expect(answer.body.error.message).toMatch(message);
});

it.each([
  'GET /api/nothing',
  'GET /nothing',
  'PUT /api/workshops',
  'DELETE /healthz',
  'TRACE /api/workshops',
])('answers %s, which is no route, with not_found', async (request) => {
  const answer = await server.ask(people.host, request);
  expect(answer).toMatchObject({ status: 404, body: { error: { code: 'not_found' } } });
});

it('answers an address that cannot be decoded, with all its headers', async () => {
  const answer = await server.ask(people.host, 'GET /api/workshops/%E0%A4%A');
  expect(answer).toMatchObject({ status: 400, body: { error: { code: 'invalid_payload' } } });
  expect(answer.headers).toMatchObject({ 'x-content-type-options': 'nosniff' });
});

it('asks who calls before it looks at what they sent', async () => {
  const answer = await server.ask(null, 'POST /api/workshops/nothing/rsvp', '{', json);
  expect(answer).toMatchObject({ status: 401, body: { error: { code: 'unauthenticated' } } });
  expect(answer.headers['www-authenticate']).toBe('Bearer');
});

it('answers what is not HTTP in the same form', async () => {
  await server.app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = server.app.server.address() as { port: number };
  const socket = connect(port, '127.0.0.1');
  socket.end('GET / HTTP/1.1\r\nbroken header\r\n\r\n');
  let text = '';
  for await (const chunk of socket) text += chunk;
  expect(text).toMatch(/^HTTP\/1.1 400 /);
  expect(JSON.parse(text.slice(text.indexOf('\r\n\r\n')))).toMatchObject({
    error: { code: 'invalid_payload' },
  });
});

const routes = [
  'POST /api/workshops',
  'PATCH /api/workshops/ID',
  'POST /api/workshops/ID/invitations',
  'POST /api/workshops/ID/rsvp',
  'DELETE /api/workshops/ID/rsvp',
  'POST /api/workshops/ID/open-lobby',
  'DELETE /api/workshops/ID/chat/1',
  'POST /api/guest',
];
const field = fc.constantFrom(
  ...['title', 'description', 'scheduledAt', 'durationMinutes', 'visibility', 'capacity'],
  ...['userIds', 'displayName', 'commandId', '__proto__', 'constructor', 'toString'],
);
const time = fc.oneof(
  fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  fc.constantFrom('9999-12-31T23:59:60Z', '0000-01-01T00:00:00Z', '9999-12-31T23:59:59-23:59'),
);
const junk = fc.oneof(
  fc.jsonValue(),
  fc.dictionary(field, fc.oneof(fc.jsonValue(), fc.string({ unit: 'binary' }), time, fc.array(fc.nat()))),
);

it('answers no junk whatever with a fault', async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...routes), junk, async (route, body) => {
      const request = route.replace('ID', String(id));
      const answer = await server.ask(people.host, request, JSON.stringify(body), json);
      expect(answer.status, `${request} ${JSON.stringify(body)}`).toBeLessThan(500);
      if (answer.status >= 400) expect(Object.keys(answer.body)).toEqual(['error']);
    }),
    { numRuns: 400 },
  );
  await fc.assert(
    fc.asyncProperty(fc.webPath(), fc.webQueryParameters(), async (path, query) => {
      const answer = await server.ask(people.host, `GET /api/workshops${path}?${query}`);
      expect(answer.status, `${path}?${query}`).toBeLessThan(500);
    }),
    { numRuns: 200 },
  );
});

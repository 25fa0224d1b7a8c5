/** Who calls, from where: bearer tokens, cookies and origins, guests, and what browsers are told. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { otherSite, people, type RestServer, restServer, tokenOf } from './restServer.ts';

let server: RestServer;
let id: number;
let token: string;

beforeAll(async () => {
  server = await restServer({ projecting: false });
  id = await server.workshop();
  token = await tokenOf(people.host);
});
afterAll(() => server.close());

const asked = (request: string, headers: Record<string, string>) =>
  server.ask(null, request, undefined, { headers });

describe('a cookie', () => {
  const own = 'http://localhost:80';
  it.each([
    ['GET', {}, 200],
    ['GET', { origin: otherSite }, 200],
    ['GET', { origin: own, host: 'localhost:80' }, 200],
    ['GET', { origin: 'https://evil.example' }, 401],
    ['GET', { origin: 'null' }, 401],
    ['GET', { 'sec-fetch-site': 'same-origin' }, 200],
    ['GET', { 'sec-fetch-site': 'none' }, 200],
    ['GET', { 'sec-fetch-site': 'cross-site' }, 401],
    ['POST', {}, 401],
    ['POST', { origin: otherSite }, 200],
    ['POST', { origin: own, host: 'localhost:80' }, 200],
    ['POST', { origin: `${otherSite}.evil.example` }, 401],
    ['POST', { origin: 'https://evil.example' }, 401],
    ['POST', { 'sec-fetch-site': 'same-origin' }, 200],
    ['POST', { 'sec-fetch-site': 'none' }, 401],
    ['POST', { 'sec-fetch-site': 'same-site' }, 401],
  ])('on %s with %o is answered %i', async (method, headers, status) => {
    const url = method === 'GET' ? `/api/workshops/${id}` : `/api/workshops/${id}/rsvp`;
    const cookie = `other=1; workshop_token=${token}`;
    expect(await asked(`${method} ${url}`, { cookie, ...headers })).toMatchObject({ status });
  });
});

it('takes the first cookie of several that is good, and one in quotes', async () => {
  const ours = 'workshop_token=';
  for (const cookie of [`${ours}; ${ours}old; ${ours}${token}`, `${ours}"${token}"`])
    expect(await asked(`GET /api/workshops/${id}`, { cookie })).toMatchObject({ status: 200 });
  // Whoever sends a thousand does not make us look at each.
  const many = `${ours}old; `.repeat(1_000);
  expect(await asked(`GET /api/workshops/${id}`, { cookie: `${many}${ours}${token}` })).toMatchObject({
    status: 401,
  });
});

it('takes a bearer token from anywhere, whatever cookie comes along', async () => {
  const headers = {
    authorization: `bearer ${token}`,
    origin: 'https://evil.example',
    cookie: 'workshop_token=x',
  };
  expect(await asked(`POST /api/workshops/${id}/rsvp`, headers)).toMatchObject({ status: 200 });
});

it('asks the same of HEAD as of GET', async () => {
  const head = `HEAD /api/workshops/${id}`;
  expect(await asked(head, {})).toMatchObject({ status: 401, text: '' });
  expect(await asked(head, { authorization: `Bearer ${token}` })).toMatchObject({ status: 200, text: '' });
});

it('takes no token from the address, and writes none into the log', async () => {
  const answer = await asked(`GET /api/workshops/${id}?token=${token}&access_token=${token}`, {});
  expect(answer.status).toBe(401);
  await asked(`GET /nowhere?token=${token}`, {
    authorization: `Bearer ${token}`,
    cookie: `workshop_token=${token}`,
  });
  const lines = server.lines.join('');
  expect(lines).toContain('"route":"/api/workshops/:id"');
  expect(lines).not.toContain(token);
  expect(lines).not.toContain(token.split('.')[2]);
});

it.each(['', 'Bearer', 'Bearer x', 'Bearer a.b.c', 'Basic aGk6aG8=', `Bearer ${'a'.repeat(9_000)}`])(
  'refuses the authorization "%.20s" without saying why',
  async (authorization) => {
    const answer = await asked(`GET /api/workshops/${id}`, { authorization });
    expect(answer).toMatchObject({
      status: 401,
      text: '{"error":{"code":"unauthenticated","message":"sign in first"}}',
    });
  },
);

describe('other sites', () => {
  const preflight = {
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'content-type',
  };

  it('may ask with cookies where their origin is allowed', async () => {
    const allowed = {
      'access-control-allow-origin': otherSite,
      'access-control-allow-credentials': 'true',
      vary: 'Origin',
    };
    const before = await asked('OPTIONS /api/workshops', { origin: otherSite, ...preflight });
    expect(before).toMatchObject({ status: 204, headers: allowed });
    expect(before.headers['access-control-allow-methods']).toContain('PATCH');
    expect(before.headers['access-control-allow-headers']).toContain('idempotency-key');
    // Also on refusals: the page is to read why.
    expect(await asked('GET /api/workshops', { origin: otherSite })).toMatchObject({
      status: 401,
      headers: allowed,
    });
  });

  it.each(['https://evil.example', `${otherSite}.evil.example`, 'https://SITE.example', 'null'])(
    'get no word of it as %s',
    async (origin) => {
      const before = await asked('OPTIONS /api/workshops', { origin, ...preflight });
      expect(before.status).toBe(204);
      for (const answer of [before, await asked('GET /healthz', { origin })]) {
        const told = Object.keys(answer.headers).filter((name) => name.startsWith('access-control'));
        expect(told).toEqual([]);
      }
    },
  );
});

it('tells browsers what a page may do, on every answer', async () => {
  for (const request of ['GET /healthz', 'GET /api/workshops', 'GET /nothing', 'POST /api/guest']) {
    const { headers } = await asked(request, {});
    expect(headers['content-security-policy']).toBe(
      "default-src 'self'; script-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; " +
        "form-action 'none'; frame-ancestors 'none'; style-src 'self'; img-src 'self' https:",
    );
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
    });
    expect(headers['cache-control']).toBe(request.includes('/api/') ? 'no-store' : undefined);
    expect(headers['strict-transport-security']).toBeUndefined();
  }
});

describe('a guest', () => {
  it('gets a token and the cookie, and may schedule a workshop with either', async () => {
    const { status, body, headers } = await server.ask(null, 'POST /api/guest', { displayName: ' Greta ' });
    expect(status).toBe(200);
    expect(body.user).toEqual({ userId: expect.any(Number), displayName: 'Greta', avatarUrl: null });
    expect(body.user.userId).toBeGreaterThanOrEqual(2 ** 52);
    const cookie = String(headers['set-cookie']);
    expect(cookie).toMatch(/^workshop_token=[^;]+; Max-Age=\d+; Path=\/; HttpOnly; SameSite=Lax$/);
    const scheduled = { title: 'Felting', scheduledAt: '2030-05-01T10:00:00Z' };
    for (const headers of [
      { authorization: `Bearer ${body.token}` },
      { cookie: cookie.split(';')[0] ?? '', 'sec-fetch-site': 'same-origin' },
    ]) {
      const made = await server.ask(null, 'POST /api/workshops', scheduled, { headers });
      expect(made).toMatchObject({ status: 201, body: { hostId: body.user.userId } });
    }
  });

  it('is not signed in by a page of another site', async () => {
    const answer = await server.ask(
      null,
      'POST /api/guest',
      { displayName: 'Greta' },
      {
        headers: { origin: 'https://evil.example' },
      },
    );
    expect(answer).toMatchObject({ status: 403, body: { error: { code: 'forbidden' } } });
    expect(answer.headers['set-cookie']).toBeUndefined();
  });
});

describe('in production behind https, without guests', () => {
  let strict: RestServer;
  const publicUrl = 'https://workshops.example';

  beforeAll(async () => {
    strict = await restServer({
      ...{ projecting: false, guests: false },
      parts: { config: { publicUrl, corsOrigins: [], production: true } },
    });
  });
  afterAll(() => strict.close());

  it('asks for https from then on, and refuses guests', async () => {
    const health = await strict.ask(null, 'GET /healthz');
    expect(health.headers['strict-transport-security']).toBe('max-age=31536000');
    const guest = await strict.ask(null, 'POST /api/guest', { displayName: 'Greta' });
    expect(guest).toMatchObject({ status: 403, body: { error: { code: 'forbidden' } } });
  });
});

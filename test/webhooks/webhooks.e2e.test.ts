/** Webhooks as their receivers see them: of a whole server, by real HTTP. */
import { Webhook as Standard } from 'standardwebhooks';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Receiver, receiver } from '../kit/receiver.ts';
import {
  clusterSettings,
  type Guest,
  type Json,
  liveWorkshop,
  type TestServer,
  testServer,
} from '../kit/server.ts';
import { until } from '../kit/until.ts';

const admin = { id: 99, roles: ['admin'] };
const hooks = '/api/admin/webhooks';

const kinds = [
  { kind: 'embedded', settings: async () => ({}) },
  { kind: 'on Redis and Postgres', settings: clusterSettings },
];

describe.each(kinds)('$kind', ({ settings }) => {
  let server: TestServer;
  const opened: { close(): unknown }[] = [];
  beforeAll(async () => {
    server = await testServer({
      ...(await settings()),
      WEBHOOK_ALLOW_PRIVATE: 'true',
      RATE_LIMIT_SCALE: '0',
    });
  }, 90_000);
  afterAll(() => server.close());
  afterEach(async () => {
    const { body } = await ask('GET', '?limit=500');
    for (const { id } of body.items) await ask('DELETE', `/${id}`);
    for (const each of opened.splice(0).reverse()) await each.close();
  });

  const ask = (method: string, path = '', body?: unknown) =>
    server.rest(admin, method, `${hooks}${path}`, body);

  async function hooked(more: Record<string, unknown> = {}) {
    const there = await receiver();
    opened.push(there);
    const { status, body } = await ask('POST', '', { url: there.url, ...more });
    expect(status, JSON.stringify(body)).toBe(201);
    return { there, ...(body as { id: number; secret: string }) };
  }

  async function talk(count: number): Promise<{ workshopId: number; host: Guest; last: number }> {
    const workshopId = await liveWorkshop(server, [2]);
    const host = await server.connect(1);
    await host.say('join', { workshopId });
    let last = 0;
    for (let n = 0; n < count; n++) {
      const reply = await host.say('chat', { workshopId, message: `number ${n}` });
      if (reply.ok) last = reply.version;
    }
    return { workshopId, host, last };
  }

  const whole = (there: Receiver, workshopId: number, last: number) =>
    until(() => there.versions(workshopId).at(-1) === last, {
      what: `version ${last}, after ${there.versions(workshopId)}`,
      timeout: 20_000,
    });
  const upTo = (last: number) => Array.from({ length: last }, (_, n) => n + 1);

  it('[K1] every event comes, in the order of its versions, signed as Standard Webhooks has it', async () => {
    const { there, secret } = await hooked();
    const { workshopId, last } = await talk(5);
    await whole(there, workshopId, last);
    expect(there.versions(workshopId)).toEqual(upTo(last));
    const history = (await server.rest(admin, 'GET', `/api/workshops/${workshopId}/events`)).body;
    const { body: own } = await server.rest(
      { id: 98, roles: ['analyst'] },
      'GET',
      `/api/workshops/${workshopId}/events`,
    );
    expect(history.error.code).toBe('not_a_member');
    const verifier = new Standard(secret);
    for (const { text, body, headers } of there.received) {
      verifier.verify(text, headers as Record<string, string>);
      const event = own.items.find(({ version }: Json) => version === body.data.version);
      const { version, at, by, type, eventId, data } = event;
      expect(headers['webhook-id']).toBe(eventId);
      expect(body).toEqual({
        type: `workshop.${type}`,
        timestamp: at,
        data: { workshopId, version, at, by, ...data },
      });
    }
    expect(() =>
      verifier.verify(`${there.received[0]?.text} `, there.received[0]?.headers as never),
    ).toThrow();
  });

  it('[K2] only what was asked for comes: types, workshops, and what follows on the making', async () => {
    const before = await talk(1);
    // What the tables get from then on is told.
    await server.rest(1, 'GET', `/api/workshops/${before.workshopId}/chat?minVersion=${before.last}`);
    const both = await hooked({ types: ['chat-message', 'workshop.hand-raised'] });
    const one = await hooked({ workshopIds: [before.workshopId] });
    const { workshopId, host, last } = await talk(2);
    await host.say('raise-hand', { workshopId });
    await before.host.say('chat', { workshopId: before.workshopId, message: 'later' });
    await both.there.has(4);
    await one.there.has(1);
    expect(both.there.received.map(({ body }) => body.type).sort()).toEqual([
      ...['workshop.chat-message', 'workshop.chat-message', 'workshop.chat-message', 'workshop.hand-raised'],
    ]);
    expect(both.there.versions(workshopId)).toEqual([last - 1, last, last + 1]);
    expect(one.there.versions(before.workshopId)).toEqual([before.last + 1]);
    expect(one.there.received).toHaveLength(1);
  });

  it('[K3] the next one follows on a 2xx for the last; what failed comes again under the same id', async () => {
    const { there, id } = await hooked();
    let refusals = 2;
    there.answers((response) => response.writeHead(refusals-- > 0 ? 500 : 200).end('thanks'));
    const { workshopId, last } = await talk(1);
    await until(() => there.received.length > 0, { what: 'the first try' });
    await until(async () => (await ask('GET', `/${id}`)).body.troubled.length > 0, {
      what: 'the failure to be told',
    });
    const [place] = (await ask('GET', `/${id}`)).body.troubled;
    expect(place).toMatchObject({
      workshopId,
      fromVersion: 1,
      attempts: 1,
      waits: false,
      lastError: 'answered 500',
    });
    await whole(there, workshopId, last);
    const ids = there.received.map(({ headers }) => headers['webhook-id']);
    expect(there.versions(workshopId)).toEqual([1, 1, ...upTo(last)]);
    expect(new Set(ids.slice(0, 3)).size).toBe(1);
    expect((await ask('GET', `/${id}`)).body.troubled).toEqual([]);
  }, 60_000);

  it('[K4] a receiver that answers nobody, nonsense or a redirect holds up no other one', async () => {
    const elsewhere = await receiver();
    opened.push(elsewhere);
    const silent = await hooked();
    silent.there.answers(() => undefined);
    const led = await hooked();
    led.there.answers((response) => response.writeHead(302, { location: elsewhere.url }).end());
    const broken = await hooked();
    broken.there.answers((response) => response.socket?.end('this is no HTTP\r\n\r\n'));
    const quick = await hooked();
    const began = performance.now();
    const { workshopId, last } = await talk(3);
    await whole(quick.there, workshopId, last);
    expect(performance.now() - began).toBeLessThan(9_000);
    const troubleOf = async (id: number) => (await ask('GET', `/${id}`)).body.troubled[0]?.lastError;
    await until(async () => (await troubleOf(led.id)) === 'answered 302: redirects are not followed', {
      what: 'the redirect',
    });
    await until(async () => /Parse Error|hang up/.test(await troubleOf(broken.id)), { what: 'the nonsense' });
    await until(async () => (await troubleOf(silent.id)) === 'no answer within 10 s', {
      what: 'silence',
      timeout: 20_000,
    });
    expect(elsewhere.received).toEqual([]);
  }, 60_000);

  it('[K5] 410 ends a webhook; what happens meanwhile waits until it is active again', async () => {
    const { there, id } = await hooked();
    there.answers(410);
    const { workshopId, host, last } = await talk(1);
    await until(async () => (await ask('GET', `/${id}`)).body.active === false, { what: 'the end' });
    expect((await ask('GET', `/${id}`)).body.endedBecause).toBe(
      'its receiver answered 410: it wants no more',
    );
    const after = await host.say('chat', { workshopId, message: 'nobody listens' });
    there.answers(204);
    const told = there.received.length;
    expect((await ask('PATCH', `/${id}`, { active: true })).body).toMatchObject({
      active: true,
      endedBecause: null,
    });
    expect((await ask('POST', `/${id}/resume`, { workshopId })).status).toBe(200);
    await whole(there, workshopId, last + 1);
    expect(after).toMatchObject({ version: last + 1 });
    expect(there.versions(workshopId).slice(told)).toEqual(upTo(last + 1));
  }, 60_000);

  it('[K6] goes on from any version that it is resumed at', async () => {
    const { there, id } = await hooked();
    const { workshopId, last } = await talk(3);
    await whole(there, workshopId, last);
    const { status, body } = await ask('POST', `/${id}/resume`, { workshopId, fromVersion: last - 1 });
    expect({ status, body }).toMatchObject({
      status: 200,
      body: { workshopId, fromVersion: last - 1, waits: false },
    });
    await there.has(last + 2);
    expect(there.versions(workshopId)).toEqual([...upTo(last), last - 1, last]);
    const wrong = async (given: unknown) => (await ask('POST', `/${id}/resume`, given)).body.error;
    expect(await wrong({ workshopId, fromVersion: last + 2 })).toMatchObject({
      code: 'invalid_payload',
      message: `fromVersion: the tables have versions up to ${last}`,
    });
    expect(await wrong({ workshopId: 987_654 })).toMatchObject({ code: 'not_found' });
    expect(await wrong({ workshopId, fromVersion: 0 })).toMatchObject({ code: 'invalid_payload' });
  });

  it('[K7] has no text that was deleted before it is sent', async () => {
    const { there, id } = await hooked({ types: ['chat-message'] });
    there.answers(503);
    const { workshopId, host, last } = await talk(1);
    await there.has(1);
    await host.say('delete-chat', { workshopId, messageId: last });
    // The list of messages knows of a deletion before the tables have it, from which deliveries are made.
    const folded = await server.rest(1, 'GET', `/api/workshops/${workshopId}/chat?minVersion=${last + 1}`);
    expect(folded.status).toBe(200);
    there.answers(200);
    await ask('POST', `/${id}/resume`, { workshopId });
    await until(() => there.received.length >= 2, { what: 'another try' });
    expect(there.received.at(-1)?.body.data).toMatchObject({ id: last, message: null, deleted: true });
  });

  it('[K7] has nothing of a person who was erased before it is sent', async () => {
    const { there, id } = await hooked();
    there.answers(503);
    const { workshopId } = await talk(0);
    const guest = await server.connect({ id: 2, name: 'Quentin Quill' });
    await guest.say('join', { workshopId });
    const reply = await guest.say('chat', { workshopId, message: 'my own words' });
    const last = reply.ok ? reply.version : 0;
    await there.has(1);
    await server.rest(admin, 'POST', '/api/admin/erasures/2');
    const erasure = async () => (await server.rest(admin, 'GET', '/api/admin/erasures/2')).body;
    await until(async () => (await erasure()).left === 0 && (await erasure()).events > 0, {
      what: 'the erasure',
      timeout: 20_000,
    });
    const before = there.received.length;
    there.answers(200);
    await ask('POST', `/${id}/resume`, { workshopId });
    await until(() => there.versions(workshopId).includes(last), { what: 'the message', timeout: 20_000 });
    const sent = there.received.slice(before).map(({ text }) => text);
    expect(sent.filter((text) => text.includes('user-joined'))).not.toEqual([]);
    expect(sent.filter((text) => /Quentin|my own words/.test(text))).toEqual([]);
  }, 60_000);

  it('[K8] is tried at once with a message that is no event', async () => {
    const { there, id, secret } = await hooked();
    expect((await ask('POST', `/${id}/test`)).body).toEqual({ ok: true, status: 204 });
    const [{ text, body, headers } = { text: '', body: {}, headers: {} }] = there.received;
    new Standard(secret).verify(text, headers as Record<string, string>);
    expect(body).toMatchObject({ type: 'webhook.test', data: { webhookId: id } });
    there.answers(500);
    expect((await ask('POST', `/${id}/test`)).body).toEqual({
      ok: false,
      status: 500,
      error: 'answered 500',
    });
  });

  it('[K9] is listed, changed and deleted, and never tells its secret again', async () => {
    const { id, secret, there } = await hooked({ description: 'for the warehouse', types: ['user-joined'] });
    const listed = await ask('GET');
    expect(listed.body.items).toMatchObject([
      {
        id,
        url: there.url,
        description: 'for the warehouse',
        types: ['workshop.user-joined'],
        workshopIds: null,
        active: true,
        troubled: [],
      },
    ]);
    expect(JSON.stringify(listed.body)).not.toContain(secret);
    expect(secret).toMatch(/^whsec_[\w+/]+=*$/);
    expect((await ask('PATCH', `/${id}`, { types: null, description: null })).body).toMatchObject({
      types: null,
      description: null,
      url: there.url,
    });
    expect((await ask('DELETE', `/${id}`)).status).toBe(204);
    for (const [method, path, body] of [
      ['GET', ''],
      ['PATCH', '', { active: false }],
      ['DELETE', ''],
      ['POST', '/test'],
      ['POST', '/resume', { workshopId: 1 }],
    ] as const)
      expect((await ask(method, `/${id}${path}`, body)).body.error, `${method} ${path}`).toMatchObject({
        code: 'not_found',
        message: 'there is no such webhook',
      });
  });

  it('[K9] is for admins alone', async () => {
    expect((await server.rest(1, 'GET', hooks)).status).toBe(403);
    expect(
      (await server.rest({ id: 5, roles: ['analyst'] }, 'POST', hooks, { url: 'https://example.org' }))
        .status,
    ).toBe(403);
  });

  it.each([
    [{}, /url/],
    [{ url: 'nowhere' }, /url: must be an address such as/],
    [{ url: 'ftp://example.org/' }, /url: must begin with https/],
    [{ url: 'https://me:secret@example.org/' }, /url: must not hold a password/],
    [{ url: 'https://example.org/', types: ['chat'] }, /types.*there is no such type of event/],
    [{ url: 'https://example.org/', types: [] }, /types/],
    [{ url: 'https://example.org/', workshopIds: [0] }, /workshopIds/],
    [{ url: 'https://example.org/', description: 'x'.repeat(501) }, /description/],
  ])('[K9] names what is wrong with %j', async (plan, said) => {
    const { status, body } = await ask('POST', '', plan);
    expect(status).toBe(400);
    expect(body.error.message).toMatch(said);
  });
});

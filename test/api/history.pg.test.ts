/** History: every event in order, what was asked for alone, nothing that was deleted, and no more work than is read. */
import { once } from 'node:events';
import { get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../kit/until.ts';
import { people, type RestServer, restServer, tokenOf } from './restServer.ts';

const { host, coHost, member, analyst } = people;
const ndjson = { headers: { accept: 'application/x-ndjson' } };
let server: RestServer;
let reads = 0;

beforeAll(async () => {
  server = await restServer({
    projecting: false,
    seen: (log) => ({
      ...log,
      events: {
        ...log.events,
        read(...asked) {
          reads++;
          return log.events.read(...asked);
        },
      },
    }),
  });
});
afterAll(() => server.close());

interface Item {
  version: number;
  type: string;
}

/** Follows `nextAfter` to the end. */
async function pages(request: string): Promise<Item[][]> {
  const found: Item[][] = [];
  let after: number | null = 0;
  while (after !== null) {
    const { status, body }: Awaited<ReturnType<RestServer['ask']>> = await server.ask(
      analyst,
      `GET ${request}${request.includes('?') ? '&' : '?'}after=${after}`,
    );
    expect(status).toBe(200);
    found.push(body.items);
    after = body.nextAfter;
  }
  return found;
}

/** Messages of host and member in turn, `count` together. */
async function talk(id: number, count: number, message = 'hello'): Promise<void> {
  await Promise.all([server.command(id, host, 'join'), server.command(id, member, 'join')]);
  for (let sent = 0; sent < count; sent += 500)
    await Promise.all(
      Array.from({ length: Math.min(500, count - sent) }, (_, index) =>
        server.command(id, index % 2 === 0 ? host : member, 'chat', { message }),
      ),
    );
}

describe('a workshop with a few events', () => {
  let id: number;
  let head: number;
  beforeAll(async () => {
    id = await server.workshop({ live: true });
    await talk(id, 6);
    head = (await server.log.events.head(id))?.version ?? 0;
  });

  it('gives every event once, in pages that end with null', async () => {
    const found = await pages(`/api/workshops/${id}/events?limit=4`);
    expect(found.flat().map(({ version }) => version)).toEqual(
      Array.from({ length: head }, (_, index) => index + 1),
    );
    expect(found.every(({ length }) => length > 0 && length <= 4)).toBe(true);
    const exact = await server.ask(host, `GET /api/workshops/${id}/events?limit=${head}`);
    expect(exact.body).toMatchObject({ nextAfter: null });
    const beyond = await server.ask(host, `GET /api/workshops/${id}/events?after=${head + 5}`);
    expect(beyond.body).toEqual({ items: [], nextAfter: null });
  });

  it('gives an item as the log holds it, with what follows from its place', async () => {
    const { body } = await server.ask(coHost, `GET /api/workshops/${id}/events?type=chat-message&limit=1`);
    const [{ version }] = body.items;
    expect(body.items).toEqual([
      {
        ...{ version, type: 'chat-message', schema: 1, by: expect.any(Number) },
        ...{ eventId: expect.any(String), commandId: expect.any(String), at: expect.stringMatching(/Z$/) },
        data: {
          ...{ id: version, userId: expect.any(Number), displayName: expect.any(String), avatarUrl: null },
          ...{ message: 'hello', offset_ms: expect.any(Number), createdAt: body.items[0].at },
        },
      },
    ]);
    expect(body.nextAfter).toBe(version);
  });

  it('finds what is by someone and what is about them', async () => {
    const kinds = async (userId: number) =>
      new Set((await pages(`/api/workshops/${id}/events?userId=${userId}`)).flat().map(({ type }) => type));
    expect(await kinds(coHost.userId)).toEqual(new Set(['user-invited', 'cohost-promoted']));
    expect(await kinds(member.userId)).toEqual(new Set(['user-invited', 'user-joined', 'chat-message']));
    expect(await kinds(host.userId)).toContain('workshop-scheduled');
    expect(await kinds(4_711)).toEqual(new Set());
    const both = await pages(`/api/workshops/${id}/events?userId=${member.userId}&type=user-joined`);
    expect(both.flat()).toHaveLength(1);
  });

  it('gives the whole as lines, the same items as the pages', async () => {
    const all = (await pages(`/api/workshops/${id}/events`)).flat();
    const whole = await server.ask(host, `GET /api/workshops/${id}/events`, undefined, ndjson);
    expect(whole.headers['content-type']).toBe('application/x-ndjson; charset=utf-8');
    expect(whole.text.endsWith('\n')).toBe(true);
    const lines = whole.text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toEqual(all);
    const some = `GET /api/workshops/${id}/events?type=chat-message&after=${lines[0].version}&limit=2`;
    const few = await server.ask(host, some, undefined, ndjson);
    expect(few.text.trimEnd().split('\n')).toHaveLength(2);
    const none = await server.ask(host, `GET /api/workshops/${id}/events?userId=4711`, undefined, ndjson);
    expect(none).toMatchObject({ status: 200, text: '' });
  });

  it('refuses lines in JSON', async () => {
    const refused = await server.ask(member, `GET /api/workshops/${id}/events`, undefined, ndjson);
    expect(refused).toMatchObject({ status: 403, body: { error: { code: 'forbidden' } } });
  });

  it('has lost the text of a deleted message in pages and in lines', async () => {
    const message = await server.command(id, member, 'chat', { message: 'regretted' });
    await server.ask(member, `DELETE /api/workshops/${id}/chat/${message}`);
    const page = await server.ask(host, `GET /api/workshops/${id}/events?limit=1000`);
    const whole = await server.ask(host, `GET /api/workshops/${id}/events`, undefined, ndjson);
    for (const { text } of [page, whole]) {
      expect(text).not.toContain('regretted');
      expect(text).toContain('"message":null,"deleted":true');
    }
  });
});

describe('a workshop with many events', () => {
  let id: number;
  const count = 24_000;
  beforeAll(async () => {
    id = await server.workshop({ live: true });
    await talk(id, count, '🧶'.repeat(500));
    await server.command(id, host, 'end');
  }, 60_000);

  it('reads a bounded number of events for a page, and still comes to the end', async () => {
    reads = 0;
    const first = await server.ask(host, `GET /api/workshops/${id}/events?type=state-changed&after=100`);
    expect(first.body).toEqual({ items: [], nextAfter: 20_100 });
    expect(reads).toBe(20);
    const rest = await server.ask(host, `GET /api/workshops/${id}/events?type=state-changed&after=20100`);
    expect(rest.body).toMatchObject({ items: [{ type: 'state-changed' }], nextAfter: null });
  });

  it('streams the whole only as fast as it is read, and stops when the reader goes away', async () => {
    await server.app.listen({ port: 0, host: '127.0.0.1' });
    const { port } = server.app.server.address() as AddressInfo;
    const headers = { authorization: `Bearer ${await tokenOf(host)}`, ...ndjson.headers };
    const ask = () => get({ port, host: '127.0.0.1', path: `/api/workshops/${id}/events`, headers });

    const [whole] = await once(ask(), 'response');
    let lines = 0;
    for await (const chunk of whole) for (const byte of chunk) if (byte === 10) lines++;
    expect(lines).toBe((await server.log.events.head(id))?.version);

    reads = 0;
    const answered = server.lines.length;
    const request = ask();
    const [response] = await once(request, 'response');
    await once(response, 'readable');
    // The reader reads nothing: the server stops once the buffers between them are full.
    let seen = -1;
    await until(
      async () => {
        const still = seen === reads;
        seen = reads;
        await new Promise((resolve) => setTimeout(resolve, 200));
        return still;
      },
      { what: 'the server to stop reading' },
    );
    expect(reads).toBeLessThan(20);
    response.on('error', () => undefined);
    request.destroy();
    await until(
      () => server.lines.slice(answered).some((line) => /:id\/events.*the reader went away/.test(line)),
      {
        what: 'the request to be over',
      },
    );
    expect(reads).toBeLessThan(20);
  }, 30_000);
});

/** Rate limits over REST: reads, changes, guests, and those who have not signed in. */
import { afterEach, describe, expect, it } from 'vitest';
import { addresses, type TrustedProxies } from '../../src/identity/address.ts';
import { rateLimits } from '../../src/limits/limiter.ts';
import type { Kind } from '../../src/limits/table.ts';
import { type Answer, people, type RestServer, restServer } from './restServer.ts';

let server: RestServer;
afterEach(() => server.close());

/** A hundredth of the limits: 20 requests and 4 changes of a user, 30 guests and 10 strangers of an address. */
async function strict(proxies: TrustedProxies = 0, scale = 0.01): Promise<void> {
  server = await restServer({
    projecting: false,
    parts: { limits: rateLimits({ scale }), addresses: addresses(proxies) },
  });
}

async function statuses(times: number, ask: (n: number) => Promise<Answer>): Promise<number[]> {
  const found: number[] = [];
  for (let n = 0; n < times; n++) found.push((await ask(n)).status);
  return found;
}

const times = (count: number, status: number) => new Array<number>(count).fill(status);
const { host, member, stranger } = people;

describe('a user', () => {
  it('[M17] may change less than read, and hears when to come back', async () => {
    await strict();
    const id = await server.workshop();
    const rsvp = () => server.ask(stranger, `POST /api/workshops/${id}/rsvp`);
    expect(await statuses(5, rsvp)).toEqual([...times(4, 200), 429]);
    const refused = await rsvp();
    expect(refused.body).toEqual({
      error: { code: 'rate_limited', message: 'too many commands: wait a moment' },
    });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(10);
    const read = () => server.ask(stranger, `GET /api/workshops/${id}`);
    expect(await statuses(15, read)).toEqual([...times(14, 200), 429]);
    expect((await server.ask(member, `GET /api/workshops/${id}`)).status).toBe(200);
  });

  it('[M25] is held up in scheduling by a limit of its own, and in taking words back by that on moderating alone', async () => {
    const counted: Kind[] = [];
    const limits = rateLimits({ scale: 0 });
    server = await restServer({
      projecting: false,
      parts: {
        limits: {
          ...limits,
          take(kind, accounts) {
            counted.push(kind);
            if (kind === 'schedule')
              return Promise.resolve({ ok: false, layer: 'user', retryAfterMs: 60_000 });
            return limits.take(kind, accounts);
          },
        },
      },
    });
    const schedule = { title: 'Knots', scheduledAt: '9999-01-01T00:00:00Z' };
    const answer = await server.ask(host, 'POST /api/workshops', schedule);
    expect(answer).toMatchObject({ status: 429, body: { error: { code: 'rate_limited' } } });
    expect(counted.splice(0)).toEqual(['request', 'change', 'schedule']);
    await server.ask(host, 'DELETE /api/workshops/1/chat/1');
    expect(counted.splice(0)).toEqual(['request', 'moderate']);
    await server.ask(host, 'PATCH /api/workshops/1', { title: 'Bends' });
    expect(counted.splice(0)).toEqual(['request', 'change']);
  });

  it('[M17] may take words back all the same', async () => {
    await strict();
    const id = await server.workshop({ live: true });
    await server.command(id, member, 'join');
    const message = await server.command(id, member, 'chat', { message: 'hello' });
    const change = () => server.ask(host, `PATCH /api/workshops/${id}`, { title: 'Knots' });
    expect((await statuses(5, change)).at(-1)).toBe(429);
    const deleting = await server.ask(host, `DELETE /api/workshops/${id}/chat/${message}`);
    expect(deleting).toMatchObject({ status: 200, body: { changed: true } });
  });
});

describe('who has not signed in', () => {
  it('[M15] is told so, whatever was wrong, until the address is told nothing more', async () => {
    await strict();
    const headers = { authorization: 'Bearer nonsense' };
    const ask = (n: number) =>
      n % 2 === 0
        ? server.ask(null, 'GET /api/workshops')
        : server.ask(null, 'GET /api/workshops', undefined, { headers });
    expect(await statuses(13, ask)).toEqual([...times(10, 401), ...times(3, 429)]);
    expect((await server.ask(member, 'GET /api/workshops')).status).toBe(200);
    expect((await server.ask(null, 'GET /healthz')).status).toBe(200);
  });

  it('[M17] signs in as a guest so many times from one address', async () => {
    await strict();
    const guest = () => server.ask(null, 'POST /api/guest', { displayName: 'Greta' });
    expect(await statuses(31, guest)).toEqual([...times(30, 200), 429]);
  });

  it('[M8] gains nothing by saying that it is someone else', async () => {
    await strict(0, 0.001);
    const spoofing = (n: number) =>
      server.ask(
        null,
        'POST /api/guest',
        { displayName: 'G' },
        { headers: { 'x-forwarded-for': `203.0.113.${n}` } },
      );
    expect(await statuses(4, spoofing)).toEqual([...times(3, 200), 429]);
  });

  it('[M8] is who a trusted proxy says', async () => {
    await strict(1, 0.001);
    const from = (address: string) => () =>
      server.ask(
        null,
        'POST /api/guest',
        { displayName: 'G' },
        {
          headers: { 'x-forwarded-for': `spoof, ${address}` },
        },
      );
    expect(await statuses(4, from('203.0.113.1'))).toEqual([...times(3, 200), 429]);
    // One household of IPv6 is one account.
    expect(await statuses(4, (n) => from(`2001:db8:1:2::${n}`)())).toEqual([...times(3, 200), 429]);
    expect(await statuses(1, from('203.0.113.2'))).toEqual([200]);
  });
});

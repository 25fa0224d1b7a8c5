import { SignJWT } from 'jose';
import { io } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  clusterSettings,
  guestOn,
  liveWorkshop,
  secret,
  type TestServer,
  testServer,
  token,
} from '../kit/server.ts';
import { until } from '../kit/until.ts';

let server: TestServer;

beforeAll(async () => {
  server = await testServer({ ...(await clusterSettings()), CORS_ORIGINS: 'https://app.example.org' });
});
afterAll(() => server.close());

/** What the server says to a connection: `connected`, or the message of its refusal. */
async function connecting(
  auth: Record<string, unknown>,
  headers: Record<string, string> = {},
): Promise<string> {
  const socket = io(`${server.url}/workshop`, {
    auth,
    extraHeaders: headers,
    transports: ['websocket'],
    forceNew: true,
    reconnection: false,
  });
  try {
    return await new Promise<string>((resolve) => {
      socket.on('connect', () => resolve('connected'));
      socket.on('connect_error', (error) => resolve(error.message));
    });
  } finally {
    socket.disconnect();
  }
}

const sign = (claims: object, key = secret, alg = 'HS256') =>
  new SignJWT({ name: 'Ada', ...claims })
    .setProtectedHeader({ alg })
    .setExpirationTime('1h')
    .sign(Buffer.from(key));

describe('a connection', () => {
  it('[S1] without a valid token is refused as unauthenticated, and never told why', async () => {
    const expired = await token({ id: 5, expiresIn: -10 });
    const refused = [
      {},
      { token: 7 },
      { token: 'nonsense' },
      { token: expired },
      { token: await sign({ sub: '5' }, 'another secret, also longer than thirty-two') },
      { token: await sign({ sub: '5' }, secret, 'HS512') },
      { token: await sign({ sub: 'abc' }) },
      { token: await sign({ sub: '0' }) },
      { token: await sign({ sub: '-1' }) },
      { token: await sign({ sub: String(2 ** 52) }) },
      { token: await sign({ sub: '5', name: '' }) },
      { token: await sign({ sub: '5', name: 'x\u0000y' }) },
      { token: await sign({ sub: '5', picture: 'http://example.org/a.png' }) },
      { token: `${'x'.repeat(20_000)}` },
    ];
    for (const auth of refused) expect(await connecting(auth)).toBe('unauthenticated');
    expect(await connecting({ token: await sign({ sub: '5' }) })).toBe('connected');
  });

  it('[S2] takes the cookie only from an origin that is the server’s own or was allowed', async () => {
    const cookie = `other=1; workshop_token=${await token({ id: 5 })}`;
    expect(await connecting({}, { cookie })).toBe('unauthenticated');
    expect(await connecting({}, { cookie, 'sec-fetch-site': 'same-origin' })).toBe('connected');
    expect(await connecting({}, { cookie, origin: 'https://app.example.org' })).toBe('connected');
    expect(await connecting({}, { cookie, origin: server.url })).toBe('connected');
  });

  it('[S3] from any other origin is refused before it is one, whatever it brings', async () => {
    const auth = { token: await token({ id: 5 }) };
    const foreign = [
      'https://evil.example',
      'https://app.example.org.evil.example',
      'null',
      'https://app.example.org:8443',
    ];
    for (const origin of foreign) expect(await connecting(auth, { origin })).toMatch(/403|websocket error/);
  });

  it('[S4] that speaks another version of the protocol is refused by name', async () => {
    const auth = { token: await token({ id: 5 }) };
    expect(await connecting({ ...auth, protocol: 1 })).toBe('connected');
    expect(await connecting({ ...auth, protocol: 2 })).toBe('unsupported_protocol');
    expect(await connecting({ ...auth, protocol: '1' })).toBe('unsupported_protocol');
  });
});

describe('a token', () => {
  it('[S5] ends its socket when it expires, after a warning', async () => {
    const guest = await server.connect({ id: 5, expiresIn: 2 });
    expect(await guest.hears('token-expiring')).toHaveProperty('at');
    expect(await guest.hears('error')).toMatchObject({ code: 'token_expired' });
    await until(() => !guest.socket.connected, { what: 'the socket to be closed' });
  });

  it('[S6] is renewed by the same user over the open socket, and by nobody else', async () => {
    const guest = await server.connect({ id: 5, expiresIn: 3 });
    expect(await guest.ask('workshop:authenticate', { token: await token({ id: 6 }) })).toMatchObject({
      ok: false,
      error: { code: 'forbidden' },
    });
    expect(await guest.ask('workshop:authenticate', { token: 'x' })).toMatchObject({
      error: { code: 'unauthenticated' },
    });
    const fresh = await token({ id: 5, name: 'Renamed', expiresIn: 3_000 });
    const { ok, expiresAt } = await guest.ask('workshop:authenticate', { token: fresh });
    expect(ok).toBe(true);
    expect(Date.parse(expiresAt)).toBeGreaterThan(Date.now() + 2_900_000);
    // Past the end of the first token: still there, and known by the new name.
    await until(() => guest.all('token-expiring').length === 1, { what: 'the first warning' });
    const workshopId = await liveWorkshop(server, [5]);
    await guest.say('join', { workshopId });
    expect((await guest.state()).attendees[0]?.displayName).toBe('Renamed');
    const watch = await server.connect({ id: 7, expiresIn: 4 });
    await watch.hears('error');
    expect(guest.socket.connected).toBe(true);
  });

  it('[S7] of any length of life works', async () => {
    const guest = guestOn(server.url, 5, { token: await token({ id: 5, expiresIn: 400 * 86_400 }) });
    await until(() => guest.socket.connected, { what: 'the socket to be connected' });
    expect(await guest.ask('workshop:leave', { workshopId: 404 })).toMatchObject({
      error: { code: 'not_found' },
    });
    expect(guest.all('token-expiring')).toEqual([]);
    guest.close();
  });
});

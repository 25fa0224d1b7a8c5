/** The handshake, request by request, as no client library would send it: whose page may connect, and with which credentials. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rawSocket, upgrading } from '../kit/rawSocket.ts';
import { clusterSettings, token } from '../kit/server.ts';
import { type Serving, serving } from '../kit/serving.ts';
import { until } from '../kit/until.ts';

const allowed = 'https://app.example.org';
const evil = 'https://evil.example';
let server: Serving;

beforeAll(async () => {
  server = await serving({ ...(await clusterSettings()), CORS_ORIGINS: allowed });
}, 60_000);
afterAll(() => server.close());

const foreign = [
  evil,
  `${allowed}.evil.example`,
  'https://evil.example/https://app.example.org',
  'null',
  '',
  'HTTPS://APP.EXAMPLE.ORG',
  `${allowed}:8443`,
  `${allowed}/`,
  'http://app.example.org',
  `${allowed}, ${evil}`,
];

/** A request of the polling transport; the body of the answer. */
async function polling(headers: Record<string, string>, sid = '', body?: string) {
  const answer = await fetch(`${server.url}/socket.io/?EIO=4&transport=polling${sid && `&sid=${sid}`}`, {
    headers,
    ...(body !== undefined && { method: 'POST', body }),
  });
  return { status: answer.status, text: await answer.text(), headers: answer.headers };
}

async function session(headers: Record<string, string>): Promise<string> {
  const { status, text } = await polling(headers);
  expect(status).toBe(200);
  return JSON.parse(text.slice(1)).sid;
}

/** What the namespace answers to a CONNECT over polling, with these headers and this payload. */
async function connecting(headers: Record<string, string>, auth: object = {}): Promise<string> {
  const sid = await session(headers);
  await polling(headers, sid, `40/workshop,${JSON.stringify(auth)}`);
  const { text } = await polling(headers, sid);
  return text.startsWith('40/workshop') ? 'connected' : JSON.parse(text.slice(text.indexOf('{'))).message;
}

describe('a handshake', () => {
  it('[S3] is taken from an allowed origin and from our own', async () => {
    for (const origin of [allowed, server.url]) {
      expect(await upgrading(server.url, { origin })).toBe(101);
      expect((await polling({ origin })).status).toBe(200);
    }
    expect(await upgrading(server.url, {})).toBe(101);
  });

  it.each(foreign)('[S3] from the origin "%s" is refused as an upgrade and as polling', async (origin) => {
    expect(await upgrading(server.url, { origin })).toBe(403);
    expect(await polling({ origin })).toMatchObject({
      status: 403,
      text: '{"error":{"code":"forbidden","message":"origin not allowed"}}',
    });
  });

  it('[S12] is asked for its origin again with every request of the session', async () => {
    const sid = await session({ origin: allowed });
    expect(await upgrading(server.url, { origin: evil }, `&sid=${sid}`)).toBe(403);
    expect((await polling({ origin: evil }, sid)).status).toBe(403);
    expect((await polling({ origin: evil }, sid, '40/workshop,{}')).status).toBe(403);
    // The session itself is none the worse for it.
    expect((await polling({ origin: allowed }, sid, '40/workshop,{}')).status).toBe(200);
    expect((await polling({ origin: allowed }, sid)).text).toContain('unauthenticated');
  });

  it('[S2] counts the cookie with an allowed origin alone, and a token without any', async () => {
    const cookie = `workshop_token=${await token({ id: 5 })}`;
    expect(await connecting({ cookie })).toBe('unauthenticated');
    expect(await connecting({ cookie, 'sec-fetch-site': 'cross-site' })).toBe('unauthenticated');
    expect(await connecting({ cookie, origin: allowed })).toBe('connected');
    expect(await connecting({}, { token: await token({ id: 5 }) })).toBe('connected');
  });

  it('takes the first cookie of several that is good, and one in quotes', async () => {
    const [good, ours] = [await token({ id: 5 }), 'workshop_token='];
    const old = `${ours}; ${ours}${await token({ id: 5, expiresIn: -60 })}; ${ours}x`;
    expect(await connecting({ cookie: `${old}; ${ours}${good}`, origin: allowed })).toBe('connected');
    expect(await connecting({ cookie: `${ours}"${good}"`, origin: allowed })).toBe('connected');
    expect(await connecting({ cookie: old, origin: allowed })).toBe('unauthenticated');
  });

  it('[S9] takes no token from the address', async () => {
    const value = await token({ id: 5 });
    const raw = await rawSocket(`${server.url}`);
    raw.close();
    const address = `${server.url}/socket.io/?EIO=4&transport=polling&token=${value}`;
    const { sid } = JSON.parse((await (await fetch(address)).text()).slice(1));
    await fetch(`${address}&sid=${sid}`, { method: 'POST', body: '40/workshop,{}' });
    expect(await (await fetch(`${address}&sid=${sid}`)).text()).toContain('unauthenticated');
    expect(server.process.output()).not.toContain(value);
  });

  it('[S13] into the default namespace is refused: nobody is connected without having signed in', async () => {
    const raw = await rawSocket(server.url);
    raw.send('40');
    await until(() => raw.heard.includes('44{"message":"Invalid namespace"}'), { what: 'the refusal' });
    raw.close();
  });

  it('[S14] that is refused is told of once for an origin, however often it comes', async () => {
    const origin = `https://${'again.'.repeat(200)}example`;
    for (let attempt = 0; attempt < 20; attempt++) await upgrading(server.url, { origin });
    const told = () => server.logged().filter((line) => line.msg.includes('allow it in CORS_ORIGINS'));
    expect(told().filter((line) => line.origin !== '' && origin.startsWith(line.origin))).toHaveLength(1);
    expect(told().every((line) => line.origin.length <= 200)).toBe(true);
    for (let page = 0; page < 150; page++) await polling({ origin: `https://${page}.example` });
    expect(told().length).toBeLessThanOrEqual(100);
  });

  it('has headers that keep its answers where they belong', async () => {
    for (const origin of [allowed, evil]) {
      const { headers } = await polling({ origin });
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('cache-control')).toBe('no-store');
    }
  });
});

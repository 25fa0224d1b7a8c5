/** Every way in which a token can be wrong, by REST and over a socket: one answer, which does not tell them apart. */
import { createHmac } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { io } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clusterSettings, type Json, secret, type TestServer, testServer } from '../kit/server.ts';

let server: TestServer;
/** Where tokens say that keys can be had. */
let elsewhere: Server;
let elsewhereUrl: string;
let fetched = 0;

beforeAll(async () => {
  server = await testServer({
    ...(await clusterSettings()),
    ...{ AUTH_ISSUER: 'us', AUTH_AUDIENCE: 'rooms', GUESTS: 'true' },
  });
  elsewhere = createServer((_, response) => {
    fetched++;
    response.end('{"keys":[]}');
  });
  await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
  elsewhereUrl = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/keys`;
}, 60_000);
afterAll(async () => {
  await server.close();
  await new Promise((resolve) => elsewhere.close(resolve));
});

const now = () => Math.floor(Date.now() / 1_000);
const encoded = (part: object | string) =>
  Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');

function signed(
  payload: object | string,
  header: { alg?: string; [field: string]: unknown } = {},
  key: string | Buffer = secret,
): string {
  const { alg = 'HS256' } = header;
  const text = `${encoded({ ...header, alg })}.${encoded(payload)}`;
  // With what it says it is signed with, as far as a secret serves for that.
  const hash = { HS384: 'sha384', HS512: 'sha512' }[alg] ?? 'sha256';
  return `${text}.${createHmac(hash, key).update(text).digest('base64url')}`;
}

const claims = (more: object = {}) => ({
  sub: '5',
  name: 'Ada',
  iss: 'us',
  aud: 'rooms',
  exp: now() + 60,
  ...more,
});
const without = (claim: string) =>
  Object.fromEntries(Object.entries(claims()).filter(([name]) => name !== claim));
const unsigned = (alg: string) => `${encoded({ alg })}.${encoded(claims())}.`;
const good = () => signed(claims());
const pem = '-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A\n-----END PUBLIC KEY-----\n';

const wrong: [string, () => string][] = [
  ['no algorithm', () => unsigned('none')],
  ['no algorithm, in capitals', () => unsigned('NONE')],
  ['no signature', () => `${good().split('.').slice(0, 2).join('.')}.`],
  ['a signature cut short', () => good().slice(0, -4)],
  [
    'another payload under a signature',
    () => good().replace(/\.[^.]+\./, `.${encoded(claims({ sub: '6' }))}.`),
  ],
  ['another secret', () => signed(claims(), {}, 'another secret, as long as the first one is')],
  ['a public key for a secret', () => signed(claims(), {}, pem)],
  ['no secret at all', () => signed(claims(), {}, '')],
  ['an algorithm of key pairs', () => signed(claims(), { alg: 'RS256' })],
  ['a stronger algorithm than ours', () => signed(claims(), { alg: 'HS512' })],
  ['an algorithm between the two', () => signed(claims(), { alg: 'HS384' })],
  ['another issuer', () => signed(claims({ iss: 'them' }))],
  ['no issuer', () => signed(without('iss'))],
  ['another audience', () => signed(claims({ aud: 'else' }))],
  ['no audience', () => signed(without('aud'))],
  ['no end', () => signed(without('exp'))],
  ['an end that is text', () => signed(claims({ exp: `${now() + 60}` }))],
  ['an end beyond all dates', () => signed(claims({ exp: 1e300 }))],
  ['an end 7 seconds ago', () => signed(claims({ exp: now() - 7 }))],
  ['a beginning that is to come', () => signed(claims({ nbf: now() + 60 }))],
  ['nobody', () => signed(without('sub'))],
  ['nobody’s name', () => signed(without('name'))],
  ['a user of no number', () => signed(claims({ sub: 'root' }))],
  ['a user id that is a number', () => signed(claims({ sub: 5 }))],
  ['a user id beyond what numbers hold', () => signed(claims({ sub: '9007199254740993' }))],
  ['a guest’s id', () => signed(claims({ sub: String(2 ** 52 + 1) }))],
  ['roles that are no list', () => signed(claims({ roles: 'admin' }))],
  ['a name with a control character', () => signed(claims({ name: 'a\u0007b' }))],
  ['a picture by http', () => signed(claims({ picture: 'http://169.254.169.254/latest/meta-data' }))],
  ['a picture that is a script', () => signed(claims({ picture: 'javascript:alert(1)' }))],
  [
    'a picture that is its data',
    () => signed(claims({ picture: 'data:text/html,<script>alert(1)</script>' })),
  ],
  ['a picture of no scheme', () => signed(claims({ picture: '//127.0.0.1/a.png' }))],
  ['a picture that is a file', () => signed(claims({ picture: 'file:///etc/passwd' }))],
  ['the guests’ key id', () => signed(claims(), { kid: 'guest' })],
  ['an extension that it says is critical', () => signed(claims(), { crit: ['b64'], b64: false })],
  ['a payload that is a list', () => signed([claims()])],
  ['a payload that is no JSON', () => signed('sub=5')],
  ['16 kB', () => signed(claims({ more: 'x'.repeat(12_000) }))],
  ['a key id of 10 kB', () => signed(claims(), { kid: 'x'.repeat(10_000) })],
  ['four parts', () => `${good()}.x`],
];

/** Whatever else a token says of itself, the key is ours. */
const fine: [string, () => string][] = [
  ['an end 3 seconds ago', () => signed(claims({ exp: now() - 3 }))],
  ['a key id that is a path', () => signed(claims(), { kid: '../../../etc/passwd' })],
  ['a key id that is SQL', () => signed(claims(), { kid: "' OR 1=1 --" })],
  ['an address of keys', () => signed(claims(), { jku: elsewhereUrl, x5u: elsewhereUrl, kid: 'x' })],
  ['a key that it brings along', () => signed(claims(), { jwk: { kty: 'oct', k: 'eA' } })],
];

async function byRest(token: string): Promise<{ status: number; text: string }> {
  const answer = await fetch(`${server.url}/api/workshops`, {
    headers: { authorization: `Bearer ${token}` },
  });
  return { status: answer.status, text: await answer.text() };
}

function bySocket(token: string): Promise<Json> {
  const socket = io(`${server.url}/workshop`, {
    ...{ auth: { token }, transports: ['websocket'], forceNew: true, reconnection: false },
  });
  return new Promise<Json>((resolve) => {
    socket.on('connect', () => resolve('connected'));
    socket.on('connect_error', (error: Error & { data?: unknown }) =>
      resolve({ message: error.message, data: error.data }),
    );
  }).finally(() => socket.disconnect());
}

describe('a token', () => {
  it.each(wrong)('[S1] with %s is refused in the same words by both doors', async (_, make) => {
    expect(await byRest(make())).toEqual({
      status: 401,
      text: '{"error":{"code":"unauthenticated","message":"sign in first"}}',
    });
    expect(await bySocket(make())).toEqual({
      message: 'unauthenticated',
      data: { code: 'unauthenticated', message: 'sign in first', retryable: false },
    });
  });

  it.each(fine)('[S21] with %s is taken by both doors, and by our own key', async (_, make) => {
    expect((await byRest(make())).status).toBe(200);
    expect(await bySocket(make())).toBe('connected');
    expect(fetched).toBe(0);
  });

  it('[S21] that names a claim twice means the last one (RFC 7519, 4)', async () => {
    const text = JSON.stringify(claims()).replace('{', '{"sub":"999","name":"Somebody Else",');
    const made = await fetch(`${server.url}/api/workshops`, {
      method: 'POST',
      headers: { authorization: `Bearer ${signed(text)}`, 'content-type': 'application/json' },
      body: JSON.stringify({ title: 'Felting', scheduledAt: '2030-05-01T10:00:00Z' }),
    });
    expect(await made.json()).toMatchObject({ hostId: 5 });
  });
});

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { firstGuestId, tokens } from '../../src/identity/token.ts';

const secret = 'a secret of the tests, longer than thirty-two characters';
const algorithms = ['RS256', 'ES256', 'EdDSA'] as const;

let server: Server;
let jwksUrl: string;
const keys = new Map<string, Awaited<ReturnType<typeof generateKeyPair>>>();

beforeAll(async () => {
  for (const algorithm of algorithms)
    keys.set(algorithm, await generateKeyPair(algorithm, { extractable: true }));
  const published = await Promise.all(
    [...keys].map(async ([kid, { publicKey }]) => ({ ...(await exportJWK(publicKey)), kid, alg: kid })),
  );
  server = createServer((_, response) => response.end(JSON.stringify({ keys: published })));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  jwksUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

const now = () => Math.floor(Date.now() / 1_000);

function signed(
  claims: JWTPayload,
  header: { alg: string; kid?: string },
  key: Parameters<SignJWT['sign']>[0],
) {
  return new SignJWT({ sub: '7', name: 'Ada', exp: now() + 60, ...claims })
    .setProtectedHeader(header)
    .sign(key);
}

const withSecret = (claims: JWTPayload = {}, key = secret) =>
  signed(claims, { alg: 'HS256' }, Buffer.from(key));
const code = (verified: Promise<unknown>) =>
  verified.then(
    () => 'ok',
    (error: { code: string; message: string }) => `${error.code}: ${error.message}`,
  );
const refused = 'unauthenticated: sign in first';

describe('a token', () => {
  const issued = tokens({ secret, guests: true, issuer: 'us', audience: 'rooms' });
  const claims = { iss: 'us', aud: 'rooms' };

  it('names a user with roles that we know', async () => {
    const token = await withSecret({
      ...claims,
      picture: 'https://example.org/a.png',
      roles: ['analyst', 'king'],
    });
    expect((await issued.verify(token)).user).toEqual({
      kind: 'user',
      userId: 7,
      displayName: 'Ada',
      avatarUrl: 'https://example.org/a.png',
      roles: ['analyst'],
    });
  });

  it('[S21] is signed with the algorithm that the server expects, and with no other that the same secret would serve for', async () => {
    for (const [alg, answer] of [
      ['HS256', 'ok'],
      ['HS384', refused],
      ['HS512', refused],
    ] as const) {
      // A secret that is long enough for all of them.
      const long = secret.repeat(2);
      const { verify } = tokens({ secret: long, guests: false });
      expect(await code(verify(await signed({}, { alg }, Buffer.from(long)))), alg).toBe(answer);
    }
  });

  it('is refused in the same words whatever is wrong with it', async () => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const wrong = [
      '',
      'a.b.c',
      `${part({ alg: 'none' })}.${part({ sub: '7', name: 'Ada', exp: now() + 60, ...claims })}.`,
      await withSecret({ ...claims, iss: 'them' }),
      await withSecret({ ...claims, aud: 'else' }),
      await withSecret({}),
      await withSecret({ ...claims, exp: now() - 6 }),
      await withSecret({ ...claims, nbf: now() + 60 }),
      await withSecret({ ...claims, sub: '9007199254740992' }),
      await withSecret({ ...claims, sub: '07' }),
      await withSecret({ ...claims, name: 'x'.repeat(81) }),
      await withSecret({ ...claims, picture: 'javascript:alert(1)' }),
      await withSecret(claims, 'another secret, which is as long as the first one'),
      await signed(claims, { alg: 'HS256', kid: '../../etc/passwd' }, Buffer.from('x'.repeat(40))),
    ];
    for (const token of wrong) expect(await code(issued.verify(token))).toBe(refused);
    expect(await code(issued.verify(await withSecret({ ...claims, exp: now() - 3 })))).toBe('ok');
  });

  it('without an expiry is none', async () => {
    const endless = await new SignJWT({ sub: '7', name: 'Ada', ...claims })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(Buffer.from(secret));
    expect(await code(issued.verify(endless))).toBe(refused);
  });
});

describe('keys from elsewhere', () => {
  it('are fetched, and vouch by RS256, ES256 and EdDSA', async () => {
    const checked = tokens({ jwksUrl, guests: false });
    for (const [algorithm, { privateKey }] of keys)
      expect(
        await code(checked.verify(await signed({}, { alg: algorithm, kid: algorithm }, privateKey))),
      ).toBe('ok');
  });

  it('never turn into a secret: a token signed with a public key is refused', async () => {
    const checked = tokens({ jwksUrl, guests: false });
    const { publicKey } = keys.get('RS256') ?? (await generateKeyPair('RS256'));
    const forged = await signed({}, { alg: 'HS256', kid: 'RS256' }, Buffer.from(await exportSPKI(publicKey)));
    expect(await code(checked.verify(forged))).toBe(refused);
    expect(await code(checked.verify(await withSecret()))).toBe(refused);
  });

  it('count from the moment at which they are published, however short the last look is ago', async () => {
    const pair = () => generateKeyPair('ES256', { extractable: true });
    const [first, second, foreign] = [await pair(), await pair(), await pair()];
    const listed: object[] = [];
    const publish = async (kid: string, { publicKey }: CryptoKeyPair) =>
      listed.push({ ...(await exportJWK(publicKey)), kid, alg: 'ES256' });
    let looks = 0;
    const provider = createServer((_, response) => {
      looks++;
      response.end(JSON.stringify({ keys: listed }));
    });
    await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`;
    const checked = tokens({ jwksUrl: url, guests: false, lookAgainMs: 300 });
    const by = async (kid: string, { privateKey }: CryptoKeyPair) =>
      code(checked.verify(await signed({}, { alg: 'ES256', kid }, privateKey)));
    await publish('1', first);
    expect(await by('1', first)).toBe('ok');
    await publish('2', second);
    expect(await Promise.all([by('2', second), by('2', second), by('2', foreign), by('3', foreign)])).toEqual(
      [...['ok', 'ok'], ...[refused, refused]],
    );
    // Whoever makes up keys does not make us ask the provider for each.
    expect(looks).toBe(2);
    await new Promise((resolve) => provider.close(resolve));
  });

  it('that cannot be fetched make the service unavailable, not the token wrong', async () => {
    const { privateKey } = keys.get('ES256') ?? (await generateKeyPair('ES256'));
    const token = await signed({}, { alg: 'ES256', kid: 'ES256' }, privateKey);
    const nowhere = tokens({ jwksUrl: 'http://127.0.0.1:9/keys', guests: false });
    expect(await code(nowhere.verify(token))).toMatch(/^unavailable/);
  });
});

describe('a guest', () => {
  const open = tokens({ secret, guests: true, issuer: 'us' });

  it('gets an id that nobody else can have', async () => {
    const made = await open.guest('Ben');
    if (made === undefined) throw new Error('no guest was signed in');
    expect(made.identity.user.userId).toBeGreaterThanOrEqual(firstGuestId);
    expect((await open.verify(made.token)).user).toEqual(made.identity.user);
    expect(await code(open.verify(await withSecret({ iss: 'us', sub: String(firstGuestId) })))).toBe(refused);
    const posing = await signed(
      { sub: String(firstGuestId) },
      { alg: 'HS256', kid: 'guest' },
      Buffer.from(secret),
    );
    expect(await code(open.verify(posing))).toBe(refused);
  });

  it('is nobody where guests are not signed in', async () => {
    const made = await open.guest('Ben');
    const closed = tokens({ secret, guests: false });
    expect(closed.guest('Ben')).toBeUndefined();
    expect(await code(closed.verify(made?.token ?? ''))).toBe(refused);
  });
});

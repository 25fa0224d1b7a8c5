/** `workshop token` as one uses it for a first try, and the ways of signing that `docs/tokens.md` shows. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from '../kit/commandLine.ts';
import { temporaryFolder } from '../kit/folder.ts';
import { startProcess } from '../kit/process.ts';
import { required } from '../kit/programs.js';
import { secret, type TestServer, testServer } from '../kit/server.ts';

const run = (env: Record<string, string | undefined>, ...words: string[]) =>
  runCommand({ AUTH_SECRET: undefined, ...env }, 'token', ...words);

/** Whom the server takes that token for, and what they may read; the status alone where they may not come in. */
async function seenAs(server: TestServer, token: string) {
  const ask = (path: string) =>
    fetch(new URL(path, server.url), { headers: { authorization: `Bearer ${token}` } });
  const listed = await ask('/api/workshops');
  return { status: listed.status, admin: (await ask('/api/admin/status')).status };
}

describe('beside a server with a folder of its own', () => {
  const folder = temporaryFolder('token');
  const env = { DATA_DIR: `${folder.path}/data` };
  let server: TestServer;
  beforeAll(async () => {
    server = await testServer({ ...env, AUTH_SECRET: undefined });
  }, 90_000);
  afterAll(async () => {
    await server.close();
    await folder.close();
  });

  it('[I1] signs with the secret of the folder, prints the token alone, and the server takes it', async () => {
    const { code, out } = await run(env, '--user', '7', '--name', ' Ada ');
    expect(code).toBe(0);
    expect(out).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    expect(decodeJwt(out.trim())).toMatchObject({ sub: '7', name: 'Ada' });
    expect(await seenAs(server, out.trim())).toEqual({ status: 200, admin: 403 });
  });

  it('[I1] signs roles and a picture, and tells programs when it ends', async () => {
    const before = Date.now();
    const { out } = await run(
      env,
      ...['--user', '7', '--name', 'Ada', '--role', 'analyst', '--role', 'admin', '--json'],
      ...['--picture', 'https://example.org/ada.png', '--expires', '90s'],
    );
    const { token, userId, expiresAt } = JSON.parse(out);
    const claims = decodeJwt(token);
    expect(userId).toBe(7);
    expect(claims).toMatchObject({ picture: 'https://example.org/ada.png', roles: ['analyst', 'admin'] });
    expect(Date.parse(expiresAt)).toBe((claims.exp ?? 0) * 1_000);
    expect(Date.parse(expiresAt) - before).toBeGreaterThan(88_000);
    expect(Date.parse(expiresAt) - Date.now()).toBeLessThanOrEqual(90_000);
    expect(await seenAs(server, token)).toEqual({ status: 200, admin: 200 });
  });
});

describe('with a secret that is shared', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await testServer({ AUTH_ISSUER: 'https://example.org', AUTH_AUDIENCE: 'workshops' });
  }, 90_000);
  afterAll(() => server.close());

  it('[I1] names issuer and audience as they are set', async () => {
    const env = { AUTH_SECRET: secret, AUTH_ISSUER: 'https://example.org', AUTH_AUDIENCE: 'workshops' };
    const words = ['--user', '7', '--name', 'Ada'];
    expect((await seenAs(server, (await run(env, ...words)).out.trim())).status).toBe(200);
    const elsewhere = (await run({ ...env, AUTH_AUDIENCE: 'elsewhere' }, ...words)).out.trim();
    expect((await seenAs(server, elsewhere)).status).toBe(401);
  });
});

describe('what cannot be signed', () => {
  const folder = temporaryFolder('no-token');
  afterAll(() => folder.close());
  const env = { AUTH_SECRET: secret };
  const ada = ['--user', '7', '--name', 'Ada'];

  it.each([
    ['no user', ['--name', 'Ada'], /--user: give an id/],
    ['user 0', ['--user', '0', '--name', 'Ada'], /--user: give an id/],
    ["a guest's id", ['--user', String(2 ** 52), '--name', 'Ada'], /belong to guests/],
    ['no name', ['--user', '7'], /--name is missing/],
    ['a name without anything to be seen', ['--user', '7', '--name', ' '], /--name: must have 1 to 80/],
    ['another role', [...ada, '--role', 'host'], /--role host: there are analyst and admin/],
    [
      'a picture by http',
      [...ada, '--picture', 'http://example.org/a.png'],
      /--picture: must be an https URL/,
    ],
    ['no duration', [...ada, '--expires', 'soon'], /--expires soon is not a time/],
    ['a word', ['7'], /takes no arguments/],
  ])('[I1] is wrong usage, in one line: %s', async (_, words, said) => {
    const { code, all } = await run(env, ...words);
    expect(code).toBe(2);
    expect(all).toMatch(said);
    expect(all.trim().split('\n')).toHaveLength(1);
  });

  it('[I1] is said to be missing: a secret, or a folder with one', async () => {
    const nowhere = await run({ DATA_DIR: `${folder.path}/nothing` }, ...ada);
    expect(nowhere).toMatchObject({
      code: 1,
      all: expect.stringMatching(/no AUTH_SECRET, and no secret in/),
    });
    const keys = await run({ AUTH_JWKS_URL: 'https://example.org/keys' }, ...ada);
    expect(keys).toMatchObject({ code: 1, all: expect.stringMatching(/AUTH_JWKS_URL is set/) });
  });
});

describe('what docs/tokens.md shows', () => {
  const folder = temporaryFolder('signing');
  const text = readFileSync(join(import.meta.dirname, '../../docs/tokens.md'), 'utf8');
  const [server] = [testServer()];
  afterAll(async () => {
    await (await server).close();
    await folder.close();
  });

  /** The program that the page shows in that language, run as it stands. */
  async function signedBy(language: string, interpreter: 'python3' | 'php'): Promise<string> {
    const [, program] = new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, 'm').exec(text) ?? [];
    const file = join(folder.path, `sign.${language}`);
    writeFileSync(file, program ?? '');
    const running = await startProcess({
      ...{ command: required(interpreter), args: [file], env: { AUTH_SECRET: secret } },
    });
    await running.ended;
    return running.stdout().trim();
  }

  it.each([
    ['python', 'python3'],
    ['php', 'php'],
  ] as const)('[I2] signs what the server takes: %s', { timeout: 60_000 }, async (language, interpreter) => {
    const token = await signedBy(language, interpreter);
    expect(decodeJwt(token)).toMatchObject({ sub: '42', name: 'Ada' });
    expect((await seenAs(await server, token)).status).toBe(200);
  });
});

/** The command line as its users run it: real processes, their output and their exit codes. */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dataFolder } from '../kit/dataFolder.ts';
import type { TemporaryFolder } from '../kit/folder.ts';
import { type RunningProcess, startProcess } from '../kit/process.ts';
import { bin, program } from '../kit/program.ts';
import { redisClient, startRedis } from '../kit/redis.ts';
import { guestOn, type Json } from '../kit/server.ts';
import { sharedRedis } from '../kit/shared.ts';
import { until } from '../kit/until.ts';

let folder: TemporaryFolder;
let running: RunningProcess[];

beforeEach(async () => {
  folder = await dataFolder('cli', 'data');
  running = [];
});
afterEach(async () => {
  for (const process of running) await process.stop();
  await folder.close();
});

async function workshop(
  args: readonly string[],
  env: Record<string, string> = {},
  started = program,
): Promise<RunningProcess> {
  const process = await startProcess({
    command: globalThis.process.execPath,
    args: [started, ...args],
    env: { PORT: '0', DATA_DIR: `${folder.path}/data`, LOG_LEVEL: 'warn', PRESENCE_LEASE_MS: '2000', ...env },
  });
  running.push(process);
  return process;
}

async function serve(
  env: Record<string, string> = {},
  started = program,
): Promise<{ process: RunningProcess; url: string; about: Json }> {
  const process = await workshop(['serve', '--json'], env, started);
  await process.waitFor(/"url"/, 20_000);
  const about = JSON.parse(
    process
      .stdout()
      .split('\n')
      .find((line) => line.includes('"url"')) ?? '{}',
  );
  return { process, url: about.url, about };
}

interface SignedIn {
  token: string;
  user: { userId: number };
}

async function post(url: string, path: string, body: unknown, token?: string): Promise<Json> {
  const headers = {
    'content-type': 'application/json',
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  };
  const answer = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) });
  return answer.json();
}

const guest = (url: string, displayName: string): Promise<SignedIn> =>
  post(url, '/api/guest', { displayName });

async function ended(process: RunningProcess): Promise<{ code: number | null; output: string }> {
  const { code } = await process.ended;
  return { code, output: process.output() };
}

describe('workshop serve', () => {
  it('brings up everything with nothing configured, makes its own secret, and keeps it', {
    timeout: 60_000,
  }, async () => {
    const env = { DATA_DIR: `${folder.path}/new` };
    const { process, url } = await serve(env, bin);
    const ada = await guest(url, 'Ada');
    expect(statSync(`${folder.path}/new/secret`).mode & 0o777).toBe(0o600);
    expect(statSync(`${folder.path}/new/server.json`).mode & 0o777).toBe(0o600);
    expect((await fetch(`${url}/`)).headers.get('content-type')).toContain('text/html');
    await process.stop();
    expect((await process.ended).code).toBe(0);
    const again = await serve(env);
    const created = await post(
      again.url,
      '/api/workshops',
      { title: 'Kept', scheduledAt: new Date().toISOString() },
      ada.token,
    );
    expect(created).toMatchObject({ title: 'Kept', version: 1 });
  });

  it('refuses a folder that another process serves, and takes over from one that died', {
    timeout: 60_000,
  }, async () => {
    const { process: first } = await serve();
    const second = await ended(await workshop(['serve']));
    expect(second.code).toBe(1);
    expect(second.output).toContain(`process ${first.pid}`);
    first.signal('SIGKILL');
    await first.ended;
    const { url } = await serve();
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
  });

  it('has what it acknowledged after kill -9, and takes those who were there for gone', {
    timeout: 60_000,
  }, async () => {
    const { process, url } = await serve();
    const ada = await guest(url, 'Ada');
    const { id: workshopId } = await post(
      url,
      '/api/workshops',
      { title: 'Kept', scheduledAt: new Date().toISOString() },
      ada.token,
    );
    await post(url, `/api/workshops/${workshopId}/start`, {}, ada.token);
    const socket = guestOn(url, ada.user.userId, { token: ada.token });
    await until(() => socket.socket.connected, { what: 'Ada to be connected' });
    await socket.say('join', { workshopId });
    const said = await socket.say('chat', { workshopId, message: 'remember me' });
    process.signal('SIGKILL');
    await process.ended;
    socket.close();
    const again = await serve();
    const read = async () => {
      const answer = await fetch(`${again.url}/api/workshops/${workshopId}/events`, {
        headers: { authorization: `Bearer ${ada.token}` },
      });
      return (await answer.json()).items;
    };
    if (!said.ok) throw new Error('the message was refused');
    expect((await read())[said.version - 1]).toMatchObject({
      type: 'chat-message',
      data: { message: 'remember me' },
    });
    const left = await until(async () => (await read()).find(({ type }: Json) => type === 'user-left'), {
      what: 'Ada to be recorded as gone',
      timeout: 10_000,
    });
    expect(left).toMatchObject({ by: 'system', data: { userId: ada.user.userId, reason: 'disconnected' } });
  });

  it('ends with one line that names what is wrong in the configuration', { timeout: 60_000 }, async () => {
    const wrong: [Record<string, string>, string][] = [
      [{ PORT: 'many' }, 'PORT'],
      [{ AUTH_SECRET: 'short' }, 'AUTH_SECRET'],
      [{ NODE_ENV: 'production' }, 'AUTH_SECRET'],
      [{ CORS_ORIGINS: '*' }, 'CORS_ORIGINS'],
      [{ REDIS_URL: 'http://x' }, 'REDIS_URL'],
    ];
    for (const [env, name] of wrong) {
      const { code, output } = await ended(await workshop(['serve'], env));
      expect(code).toBe(1);
      expect(output.trim().split('\n')).toHaveLength(1);
      expect(output).toContain(name);
    }
  });

  it('[L17] refuses a log of a layout that it does not know in one line that says what to do', {
    timeout: 60_000,
  }, async () => {
    const url = await sharedRedis();
    const client = redisClient(url);
    await client.hset('ws:{ids}:settings', { partitions: 64, layout: 2 });
    const env = { REDIS_URL: url, DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none', LOG_LEVEL: 'fatal' };
    for (const command of ['serve', 'project'])
      expect(await ended(await workshop([command], env))).toEqual({
        code: 1,
        output:
          'workshop: the event log in Redis has layout 2; this version of the program reads layout 1: upgrade the program\n',
      });
    expect(await client.keys('*')).toEqual(['ws:{ids}:settings']);
    client.disconnect();
  });

  it('does not run in production on a Redis that may lose or evict the log', {
    timeout: 60_000,
  }, async () => {
    const production = { NODE_ENV: 'production', AUTH_SECRET: randomBytes(24).toString('hex') };
    const volatile = await startRedis({ appendonly: false });
    const evicting = await startRedis({ maxmemoryPolicy: 'allkeys-lru' });
    try {
      const lost = await ended(await workshop(['serve'], { ...production, REDIS_URL: volatile.url }));
      expect(lost).toMatchObject({ code: 1, output: expect.stringContaining('appendonly') });
      const evicted = await ended(await workshop(['serve'], { ...production, REDIS_URL: evicting.url }));
      expect(evicted).toMatchObject({ code: 1, output: expect.stringContaining('noeviction') });
      const allowed = await serve({ ...production, REDIS_URL: volatile.url, ALLOW_VOLATILE_LOG: 'true' });
      expect((await fetch(`${allowed.url}/healthz`)).status).toBe(200);
    } finally {
      for (const process of running) await process.stop();
      await volatile.close();
      await evicting.close();
    }
  });
});

describe('npm start', () => {
  it('[W5] ends the server with it, gracefully, whether the signal came to npm alone or to both', {
    timeout: 60_000,
  }, async () => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const output = `${folder.path}/${signal}`;
      const written = (line: RegExp) => () =>
        existsSync(output) ? line.exec(readFileSync(output, 'utf8')) : null;
      const npm = await startProcess({
        command: '/bin/sh',
        // Into a file: what it writes at its end comes when npm is gone.
        args: ['-c', 'exec npm start -- --json >"$OUTPUT" 2>&1'],
        env: { PORT: '0', DATA_DIR: `${folder.path}/data`, LOG_LEVEL: 'info', OUTPUT: output },
        cwd: dirname(dirname(bin)),
      });
      running.push(npm);
      await until(written(/"url":/), { what: 'the server to be up', timeout: 30_000 });
      const server = Number(written(/"pid":(\d+)/)()?.[1]);
      if (signal === 'SIGINT') process.kill(server, signal);
      npm.signal(signal);
      await until(() => !isRunning(server), { what: 'the server to have ended' });
      expect(readFileSync(output, 'utf8').match(/"msg":"closing"/g)).toHaveLength(1);
    }
  });
});

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('workshop', () => {
  it('tells of its commands and of each, and takes what it does not know as wrong usage', {
    timeout: 60_000,
  }, async () => {
    expect(await ended(await workshop(['--help']))).toMatchObject({
      code: 0,
      output: expect.stringContaining('serve'),
    });
    for (const name of ['serve', 'project', 'tail']) {
      const { code, output } = await ended(await workshop([name, '--help']));
      expect(code).toBe(0);
      expect(output).toContain(`Usage: workshop ${name}`);
    }
    for (const wrong of [
      ...[[], ['dance'], ['tail'], ['tail', 'x'], ['tail', '1e1'], ['tail', '1', '--after', '']],
      ...[
        ['serve', '--nonsense'],
        ['serve', 'everything'],
      ],
    ])
      expect((await ended(await workshop(wrong))).code).toBe(2);
    const missing = await ended(await workshop(['project']));
    expect(missing).toMatchObject({ code: 1, output: expect.stringContaining('REDIS_URL') });
  });

  it('tails a workshop beside the running server, as text and for programs', {
    timeout: 60_000,
  }, async () => {
    const { url } = await serve();
    const ada = await guest(url, 'Ada');
    const { id } = await post(
      url,
      '/api/workshops',
      { title: 'Tailed', scheduledAt: new Date().toISOString() },
      ada.token,
    );
    const tail = await workshop(['tail', String(id), '--json']);
    await tail.waitFor(/workshop-scheduled/, 20_000);
    await post(url, `/api/workshops/${id}/start`, {}, ada.token);
    await tail.waitFor(/state-changed/, 20_000);
    const lines = tail
      .stdout()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toMatchObject([
      { version: 1, type: 'workshop-scheduled', by: ada.user.userId, data: { title: 'Tailed' } },
      { version: 2, type: 'state-changed', data: { status: 'live' } },
    ]);
    const once = await ended(await workshop(['tail', String(id), '--no-follow', '--after', '1']));
    expect(once.code).toBe(0);
    expect(once.output).toMatch(/^\s+2 .* state-changed/);
    expect((await ended(await workshop(['tail', '999']))).code).toBe(1);
    expect(readFileSync(`${folder.path}/data/server.json`, 'utf8')).toContain(url);
  });
});

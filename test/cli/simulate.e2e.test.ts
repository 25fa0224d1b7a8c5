/**
 * `workshop simulate` as its users run it: real processes, their output, their exit codes, and what they leave behind. A play
 * takes its time, and a server that is gone is waited for: the tests do that beside each other.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UsageError } from '../../src/cli/command.ts';
import { simulate as command } from '../../src/cli/simulate.ts';
import { dataFolder } from '../kit/dataFolder.ts';
import { type TemporaryFolder, temporaryFolder } from '../kit/folder.ts';
import { freePort } from '../kit/ports.ts';
import { type RunningProcess, startProcess } from '../kit/process.ts';
import { program } from '../kit/program.ts';
import type { Json } from '../kit/server.ts';

const timeout = 120_000;
const running: RunningProcess[] = [];
const folders: TemporaryFolder[] = [];

afterAll(async () => {
  for (const process of running) await process.stop();
  for (const folder of folders) await folder.close();
});

interface Place {
  folder: string;
  env?: Record<string, string>;
}

function start(args: readonly string[], { folder, env = {} }: Place): Promise<RunningProcess> {
  const command = globalThis.process.execPath;
  return startProcess({ command, args: [program, ...args], env: { PORT: '0', DATA_DIR: folder, ...env } });
}

async function workshop(args: readonly string[], place: Place): Promise<RunningProcess> {
  const process = await start(args, place);
  running.push(process);
  return process;
}

async function serving(process: RunningProcess): Promise<string> {
  const [, url = ''] = await process.waitFor(/"url":"([^"]+)"/, 60_000);
  return url;
}

/** A folder whose database is there already: making one takes seconds. */
async function prepared(): Promise<string> {
  const folder = await dataFolder('simulate');
  folders.push(folder);
  return folder.path;
}

const small = ['--attendees', '9', '--minutes', '1', '--seed', '3'];

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

async function simulate(args: readonly string[], place: Place): Promise<Ended> {
  const process = await workshop(['simulate', ...args], place);
  const { code } = await process.ended;
  const stdout = process.stdout();
  return { code, stdout, stderr: process.output().replace(stdout, '') };
}

/** What `--json` says, which is one line and nothing else. */
async function told(args: readonly string[], place: Place): Promise<Json> {
  const { code, stdout, stderr } = await simulate([...args, '--json'], place);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout.trimEnd().split('\n')).toHaveLength(1);
  return JSON.parse(stdout);
}

async function read(url: string, path: string, token: string): Promise<Json> {
  const answer = await fetch(url + path, { headers: { authorization: `Bearer ${token}` } });
  expect(answer.status).toBe(200);
  return answer.json();
}

/** What everyone did in the order in which they did it: without ids, times, and drops, which depend on the machine. */
function doings(items: readonly Json[], hostId: number): Record<string, string[]> {
  const byPerson: Record<string, string[]> = {};
  for (const { type, by, data } of items) {
    if (type === 'user-joined' || type === 'user-left') continue;
    const who = by === hostId ? 'host' : by;
    const target = data.userId === hostId ? 'host' : data.userId;
    byPerson[who] = [
      ...(byPerson[who] ?? []),
      `${type} ${target ?? ''} ${data.message ?? data.status ?? ''}`,
    ];
  }
  return byPerson;
}

describe.concurrent('workshop simulate on a folder', () => {
  it('[U6] plays on a server of its own, and leaves the workshop for the next one, which it then plays in', {
    timeout,
  }, async () => {
    const folder = await prepared();
    const first = await told(small, { folder });
    expect(first).toMatchObject({ complete: true, server: 'own', attendees: 9, seed: 3, refused: {} });
    expect(first).toMatchObject({ tablesFollow: true, seen: { status: 'ended', came: 10, removed: 1 } });

    const url = await serving(await workshop(['serve', '--json'], { folder, env: { LOG_LEVEL: 'warn' } }));
    const second = await told(small, { folder });
    expect(second).toMatchObject({ complete: true, server: 'running', url });
    const { token, userId } = second.host;
    expect(userId).toBe(first.host.userId);
    const [one, other] = await Promise.all(
      [first, second].map(async ({ workshopId }: Json) => {
        const { items } = await read(url, `/api/workshops/${workshopId}/events?limit=1000`, token);
        return doings(items, userId);
      }),
    );
    expect(Object.keys(one ?? {}).length).toBeGreaterThan(8);
    expect(other).toEqual(one);
    const { items } = await read(url, '/api/workshops', token);
    expect(items.map(({ id, status }: Json) => [id, status])).toEqual([
      [second.workshopId, 'ended'],
      [first.workshopId, 'ended'],
    ]);
  });

  it('tells people what happens and where to look, and shows no bar in a pipe', { timeout }, async () => {
    const { code, stdout, stderr } = await simulate(small, { folder: await prepared() });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const said of ['The workshop is live', 'was removed', 'npx workshop replay 1', '--seed 3'])
      expect(stdout).toContain(said);
    expect(stdout).not.toContain('\r');
  });
});

describe.concurrent('workshop simulate into a running server', () => {
  let server: RunningProcess;
  let folder: TemporaryFolder;
  let elsewhere: TemporaryFolder;
  let url: string;

  beforeAll(async () => {
    folder = await dataFolder('simulate');
    elsewhere = temporaryFolder('elsewhere');
    server = await start(['serve', '--json'], { folder: folder.path, env: { LOG_LEVEL: 'error' } });
    url = await serving(server);
  }, 90_000);
  afterAll(async () => {
    await server?.stop();
    await folder?.close();
    elsewhere?.close();
  });

  const from = (env: Record<string, string> = {}): Place => ({ folder: elsewhere.path, env });
  const into = () => [...small, '--into', url];

  it('[U7] signs people in with its secret, as guests, or the host with a token', { timeout }, async () => {
    const secret = readFileSync(`${folder.path}/secret`, 'utf8').trim();
    const signed = await told(into(), from({ AUTH_SECRET: secret }));
    expect(signed).toMatchObject({ complete: true, server: 'given', refused: {} });
    expect(signed.host.userId).toBe(1e15 + 3e5 + 1);

    const guests = await told([...into(), '--title', 'Of guests'], from());
    expect(guests).toMatchObject({ complete: true, title: 'Of guests', refused: {} });
    expect(guests.host.userId).toBeGreaterThan(2 ** 52);

    const own = await told(into(), from({ SIMULATE_TOKEN: guests.host.token }));
    expect(own.host).toEqual({ userId: guests.host.userId });
  });

  it('[U7] is refused with a secret or a token that is not the server’s', { timeout }, async () => {
    const wrong = await simulate(into(), from({ AUTH_SECRET: 'a secret of nobody, longer than thirty-two' }));
    expect(wrong).toEqual({
      ...{ code: 1, stdout: '' },
      stderr: `workshop: the server at ${url} refuses tokens signed with AUTH_SECRET\n`,
    });
    const forged = await simulate(into(), from({ SIMULATE_TOKEN: 'e30.eyJzdWIiOiIxMiJ9.c2lnbmVk' }));
    expect(forged).toEqual({
      ...{ code: 1, stdout: '' },
      stderr: `workshop: the server at ${url} refuses the token\n`,
    });
  });

  it('[U8] ends the workshop when it is told to stop', { timeout }, async () => {
    const long = ['--attendees', '9', '--minutes', '4', '--seed', '3', '--speed', '20'];
    const process = await workshop(['simulate', ...long, '--into', url], from());
    const [, id] = await process.waitFor(/\/w\/(\d+)/, 60_000);
    await process.waitFor(/is live/, 60_000);
    process.signal('SIGINT');
    expect((await process.ended).code).toBe(130);
    expect(process.stdout()).toContain(`Workshop ${id} was broken off`);
    const guest = await fetch(`${url}/api/guest`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ displayName: 'Someone' }),
    });
    const { token } = (await guest.json()) as Json;
    expect(await read(url, `/api/workshops/${id}`, token)).toMatchObject({ status: 'ended' });
  });
});

describe.concurrent('workshop simulate', () => {
  it('[U7] waits for as long as the limits of a server say, and tells so', { timeout }, async () => {
    const place = { folder: await prepared(), env: { RATE_LIMIT_SCALE: '0.03' } };
    const url = await serving(await workshop(['serve', '--json'], place));
    const { heldUp, complete, refused } = await told([...small, '--into', url], place);
    expect({ complete, refused }).toEqual({ complete: true, refused: {} });
    expect(heldUp.times).toBeGreaterThan(0);
  });

  it('[U8] gives up a server that goes away', { timeout }, async () => {
    const folder = await prepared();
    const server = await workshop(['serve', '--json'], { folder });
    const into = ['--into', await serving(server)];
    const long = ['--attendees', '9', '--minutes', '4', '--seed', '3', '--speed', '20'];
    const process = await workshop(['simulate', ...long, ...into], { folder });
    await process.waitFor(/is live/, 60_000);
    server.signal('SIGKILL');
    expect((await process.ended).code).toBe(1);
    expect(process.output()).toMatch(
      /^workshop: (the server cannot be reached any more|end was refused: .*)$/m,
    );
  });

  const wrong: [Record<string, string>, string][] = [
    [{ attendees: '0' }, '--attendees 0 is not a whole number from 1 to 2,000'],
    [{ minutes: 'many' }, '--minutes many is not a whole number from 1 to 720'],
    [{ speed: '0' }, '--speed 0 is not a number from 0.1 to 3,600'],
    [{ seed: '1.5' }, '--seed 1.5 is not a whole number from 0 to 2,147,483,647'],
    [{ seed: '' }, '--seed  is not a whole number from 0 to 2,147,483,647'],
    [{ title: ' ' }, '--title has to have 1 to 200 characters'],
    [{ into: 'localhost:3000' }, '--into localhost:3000 is not an http or https address'],
    [{ token: 'me' }, 'the token of --token or SIMULATE_TOKEN is no JSON Web Token of a user'],
  ];
  it.each(wrong)('takes %j for wrong usage', async (values, problem) => {
    await expect(command.run({ values, arguments: [] })).rejects.toThrow(new UsageError(problem));
  });

  it('ends with 2 where it is used wrongly', { timeout }, async () => {
    expect(await simulate(['now'], { folder: '/nowhere' })).toEqual({
      ...{ code: 2, stdout: '' },
      stderr: 'workshop: simulate takes no arguments, only options (see --help)\n',
    });
  });

  it('says in one line that a server cannot be reached', { timeout }, async () => {
    const host = `127.0.0.1:${await freePort()}`;
    expect(await simulate(['--into', `http://${host}`], { folder: '/nowhere' })).toEqual({
      ...{ code: 1, stdout: '' },
      stderr: `workshop: the server at http://${host} cannot be reached: connect ECONNREFUSED ${host}\n`,
    });
  });
});

/** `workshop simulate` as its users run it: real processes, their output, their exit codes, and what they leave behind. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../kit/folder.ts';
import { type RunningProcess, startProcess } from '../kit/process.ts';
import { type Json, secret } from '../kit/server.ts';
import { until } from '../kit/until.ts';

const bin = new URL('../../bin/workshop.js', import.meta.url).pathname;
const timeout = 90_000;
let folder: ReturnType<typeof temporaryFolder>;
let running: RunningProcess[];

beforeEach(() => {
  folder = temporaryFolder('simulate');
  running = [];
});
afterEach(async () => {
  for (const process of running) await process.stop();
  await folder.close();
});

async function workshop(args: readonly string[], env: Record<string, string> = {}): Promise<RunningProcess> {
  const process = await startProcess({
    command: globalThis.process.execPath,
    args: [bin, ...args],
    env: { PORT: '0', DATA_DIR: `${folder.path}/data`, LOG_LEVEL: 'warn', ...env },
  });
  running.push(process);
  return process;
}

async function serve(env: Record<string, string> = {}): Promise<string> {
  const process = await workshop(['serve', '--json'], env);
  const [, url = ''] = await process.waitFor(/"url":"([^"]+)"/, 40_000);
  return url;
}

const small = ['--attendees', '9', '--minutes', '1', '--seed', '3'];

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

async function simulate(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  const process = await workshop(['simulate', ...args], env);
  const { code } = await process.ended;
  const stdout = process.stdout();
  return { code, stdout, stderr: process.output().replace(stdout, '') };
}

/** What `--json` says, which is one line and nothing else. */
async function told(args: readonly string[], env: Record<string, string> = {}): Promise<Json> {
  const { code, stdout, stderr } = await simulate([...args, '--json'], env);
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

describe('workshop simulate', () => {
  it('[U6] plays on a server of its own, and leaves the workshop in the folder for the next one', {
    timeout,
  }, async () => {
    const first = await told(small);
    expect(first).toMatchObject({ complete: true, server: 'own', attendees: 9, seed: 3, refused: {} });
    expect(first).toMatchObject({ tablesFollow: true, seen: { status: 'ended', came: 10, removed: 1 } });

    // The running server of the folder is found by itself, and the same seed does the same in it.
    const url = await serve();
    const second = await told(small);
    expect(second).toMatchObject({ complete: true, server: 'running', url });
    const { token, userId } = second.host;
    expect(second.host.userId).toBe(first.host.userId);
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

  it('[U7] goes into a server that it is told, with its secret, as guests, or for someone with a token', {
    timeout,
  }, async () => {
    const url = await serve({ AUTH_SECRET: secret });
    const elsewhere = { DATA_DIR: `${folder.path}/other` };
    const into = [...small, '--into', url];
    const signed = await told(into, { ...elsewhere, AUTH_SECRET: secret });
    expect(signed).toMatchObject({ complete: true, server: 'given', refused: {} });

    const guests = await told([...into, '--title', 'Of guests'], elsewhere);
    expect(guests).toMatchObject({ complete: true, title: 'Of guests', refused: {} });
    expect(guests.host.userId).toBeGreaterThan(2 ** 52);

    const own = await told(into, { ...elsewhere, SIMULATE_TOKEN: guests.host.token });
    expect(own.host).toEqual({ userId: guests.host.userId });

    const wrong = await simulate(into, { ...elsewhere, AUTH_SECRET: `${secret}!` });
    expect(wrong).toEqual({
      ...{ code: 1, stdout: '' },
      stderr: `workshop: the server at ${url} refuses tokens signed with AUTH_SECRET\n`,
    });
    const token = guests.host.token.replace(/\.[^.]+$/, '.signed-by-nobody');
    const refused = await simulate(into, { ...elsewhere, SIMULATE_TOKEN: token });
    expect(refused.stderr).toBe(`workshop: the server at ${url} refuses the token\n`);
  });

  it('[U7] waits as long as the limits of a server say, and tells so', { timeout }, async () => {
    const url = await serve({ RATE_LIMIT_SCALE: '0.03' });
    const { heldUp, complete, refused } = await told([...small, '--into', url]);
    expect({ complete, refused }).toEqual({ complete: true, refused: {} });
    expect(heldUp.times).toBeGreaterThan(0);
  });

  it('[U8] ends the workshop when it is told to stop', { timeout }, async () => {
    const url = await serve();
    const process = await workshop(['simulate', ...small, '--speed', '3']);
    const [, id] = await process.waitFor(/\?workshop=(\d+)/, 40_000);
    await process.waitFor(/is live/, 40_000);
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

  it('[U8] gives up a server that goes away', { timeout }, async () => {
    const url = await serve();
    const process = await workshop(['simulate', ...small, '--speed', '3', '--into', url]);
    await process.waitFor(/is live/, 40_000);
    running[0]?.signal('SIGKILL');
    expect((await process.ended).code).toBe(1);
    expect(process.output()).toMatch(/^workshop: .*(cannot be reached any more|was refused).*$/m);
  });

  it('tells people what happens and where to look, and nothing of bars in a pipe', { timeout }, async () => {
    const { code, stdout, stderr } = await simulate(small);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const said of ['The workshop is live', 'was removed', 'npx workshop replay 1', '--seed 3'])
      expect(stdout).toContain(said);
    expect(stdout).not.toContain('\r');
  });

  const wrong: [string[], string][] = [
    [['--attendees', '0'], '--attendees 0 is not a whole number from 1 to 2,000'],
    [['--attendees', '2.5'], '--attendees 2.5 is not a whole number from 1 to 2,000'],
    [['--minutes', 'many'], '--minutes many is not a whole number from 1 to 720'],
    [['--speed', '0'], '--speed 0 is not a number from 0.1 to 3,600'],
    [['--seed', ''], '--seed  is not a whole number from 0 to 2,147,483,647'],
    [['--title', ' '], '--title has to have 1 to 200 characters'],
    [['--into', 'localhost:3000'], '--into localhost:3000 is not an http or https address'],
    [['--token', 'me'], 'the token of --token or SIMULATE_TOKEN is no JSON Web Token of a user'],
    [['now'], 'simulate takes no arguments, only options'],
  ];
  it.each(wrong)('refuses %j as wrong usage', { timeout }, async (args, problem) => {
    const { code, stdout, stderr } = await simulate(args);
    expect({ code, stdout, stderr }).toEqual({
      ...{ code: 2, stdout: '' },
      stderr: `workshop: ${problem} (see --help)\n`,
    });
  });

  it('says in one line that a server cannot be reached, or is none of ours', { timeout }, async () => {
    const url = await serve();
    await until(async () => (await fetch(url)).ok, { what: 'the server to answer' });
    const [first] = running;
    await first?.stop();
    const { code, stderr } = await simulate(['--into', url]);
    expect(code).toBe(1);
    expect(stderr).toBe(
      `workshop: the server at ${url} cannot be reached: connect ECONNREFUSED ${new URL(url).host}\n`,
    );
  });
});

/** `workshop projections …` as an operator uses it, beside a running server and without one. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { embeddedLog } from '../../src/log/embedded/log.ts';
import { dataFolder } from '../kit/dataFolder.ts';
import type { TemporaryFolder } from '../kit/folder.ts';
import { type RunningProcess, startProcess } from '../kit/process.ts';
import { program } from '../kit/program.ts';
import type { Json } from '../kit/server.ts';
import { until } from '../kit/until.ts';

const at = new Date().toISOString();
let folder: TemporaryFolder;
let server: RunningProcess;
let url: string;

const data = () => `${folder.path}/data`;
const env = () => ({ PORT: '0', DATA_DIR: data(), LOG_LEVEL: 'info' });

async function start(args: readonly string[]): Promise<RunningProcess> {
  return startProcess({ command: process.execPath, args: [program, ...args], env: env() });
}

/** What a command says and how it ends. */
async function workshop(...args: string[]): Promise<{ code: number | null; out: string; all: string }> {
  const running = await start(args);
  const { code } = await running.ended;
  return { code, out: running.stdout(), all: running.output() };
}

async function status(): Promise<Json> {
  const { out, all, code } = await workshop('projections', 'status', '--json');
  expect(code, all).toBe(0);
  return JSON.parse(out);
}

async function serve(): Promise<void> {
  server = await start(['serve', '--json']);
  const [line] = await server.waitFor(/\{"url".*\}/, 30_000);
  url = JSON.parse(line).url;
}

/** Workshops whose third event Postgres does not take: the domain would never have let it in. */
async function poison(...ids: number[]): Promise<void> {
  const log = await embeddedLog({ path: `${data()}/log` });
  for (const workshopId of ids) {
    const plan = { title: 'Dyeing', description: null, scheduledAt: at, durationMinutes: null };
    const events: [string, object][] = [
      ['workshop-scheduled', { hostId: 1, ...plan, visibility: 'public', capacity: null }],
      ['state-changed', { status: 'live', startedAt: at }],
      ['chat-message', { userId: 1, displayName: 'Hanna', avatarUrl: null, message: 'indigo\u0000' }],
      ['user-invited', { userId: 2 }],
    ];
    const drafts = events.map(([type, told]) => ({
      ...{ eventId: randomUUID(), type, schema: 1, data: JSON.stringify(told), marks: [] },
    }));
    const command = { by: 1, commandId: randomUUID(), fingerprint: '', remember: false, reads: [] };
    const deadline = log.now() + 10_000;
    await log.events.append({
      workshopId,
      base: 0,
      deadline,
      commands: [{ ...command, events: drafts }],
      node: 'a',
    });
  }
  await log.ids.raise(Math.max(...ids));
  await log.close();
}

beforeAll(async () => {
  folder = await dataFolder('cli', 'data');
  await poison(1, 2);
  await serve();
}, 60_000);
afterAll(async () => {
  await server.stop();
  await folder.close();
});

describe('workshop projections', () => {
  it('[J11] tells of its commands, and takes what it does not know as wrong usage', {
    timeout: 90_000,
  }, async () => {
    const told = await workshop('projections', '--help');
    expect(told).toMatchObject({ code: 0, out: expect.stringContaining('workshop projections <command>') });
    for (const name of ['status', 'skip'])
      expect(await workshop('projections', name, '--help')).toMatchObject({
        code: 0,
        out: expect.stringContaining(`Usage: workshop projections ${name}`),
      });
    const wrong = [
      [],
      ['dance'],
      ['retry', 'x'],
      ['skip', '1', '--version', 'x', '--yes'],
      // Nobody sits at a terminal here.
      ['skip', '1', '--version', '3'],
      ['rebuild', 'nonsense'],
    ];
    for (const words of wrong) {
      const { code, all } = await workshop('projections', ...words);
      expect(code, words.join(' ')).toBe(2);
      if (words.length > 0) expect(all.trim().split('\n'), words.join(' ')).toHaveLength(1);
    }
  });

  it('[J11] shows what is parked beside the running server, as a table and for programs', {
    timeout: 90_000,
  }, async () => {
    const told = await until(
      async () => {
        const now = await status();
        return now.parked.length === 2 && now;
      },
      { what: 'both workshops to be parked', timeout: 40_000 },
    );
    const parked = { version: 3, attempts: 4, reason: expect.any(String), parkedAt: expect.any(String) };
    expect(told.parked).toMatchObject([
      { workshopId: 1, ...parked },
      { workshopId: 2, ...parked },
    ]);
    expect(told).toMatchObject({
      lag: 4,
      skipped: [],
      partitions: [{ partition: 0, rebuildRequested: false }],
    });
    const { out } = await workshop('projections', 'status');
    expect(out).toContain('Tables behind the log: 4 events');
    expect(out).toMatch(/^ {2}1 +3 +4 +20\S+Z +\S/m);
    const { body } = { body: await (await fetch(`${url}/metrics`)).text() };
    expect(body).toMatch(/^workshop_parked_workshops 2$/m);
  });

  it('[S32] the server takes its key for the routes of operators, and nothing else for it', async () => {
    const { key } = JSON.parse(readFileSync(`${data()}/server.json`, 'utf8'));
    const ask = async (path: string, headers: Record<string, string>) =>
      (await fetch(url + path, { headers })).status;
    expect(await ask('/api/admin/status', { 'x-operator-key': key })).toBe(200);
    for (const wrong of ['', 'x', `${key}x`, key.slice(1)])
      expect(await ask('/api/admin/status', { 'x-operator-key': wrong })).toBe(401);
    expect(await ask('/api/admin/status', { authorization: `Bearer ${key}` })).toBe(401);
    expect(await ask('/api/workshops', { 'x-operator-key': key })).toBe(401);
  });

  it('[J11] retry says in one line where a workshop is parked again, and what is not parked', {
    timeout: 90_000,
  }, async () => {
    const again = await workshop('projections', 'retry', '1');
    expect(again.code).toBe(1);
    expect(again.all.trim()).toMatch(/^workshop: workshop 1 is parked again at version 3: .+$/);
    const other = await workshop('projections', 'retry', '77');
    expect(other).toMatchObject({ code: 1, all: 'workshop: workshop 77 is not parked\n' });
  });

  it('[J10] skip wants the version at which the workshop is parked, gives that event up, and the server logs it', {
    timeout: 90_000,
  }, async () => {
    const wrong = await workshop('projections', 'skip', '1', '--version', '4', '--yes');
    expect(wrong).toMatchObject({ code: 1, all: expect.stringContaining('parked at version 3, not at 4') });
    expect((await status()).parked).toHaveLength(2);
    const done = await workshop('projections', 'skip', '1', '--version', '3', '--yes', '--json');
    expect(done.code, done.all).toBe(0);
    expect(JSON.parse(done.out)).toEqual({ workshopId: 1, parked: false });
    expect(await status()).toMatchObject({
      ...{ lag: 2, parked: [{ workshopId: 2 }] },
      skipped: [{ workshopId: 1, version: 3, skippedBy: 'the command line' }],
    });
    expect(server.output()).toMatch(
      /"version":3,"by":"the command line","msg":"an operator gave up an event"/,
    );
  });

  it('[J11] rebuild folds everything anew and leaves out again what was given up', {
    timeout: 90_000,
  }, async () => {
    const { code, out, all } = await workshop('projections', 'rebuild', 'workshop_attendees', '--json');
    expect(code, all).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ partitions: 1, parked: [2] });
    expect(await status()).toMatchObject({ lag: 2, parked: [{ workshopId: 2, version: 3 }] });
  });

  it('[J11] works on the folder itself where no server runs, and says where there is none', {
    timeout: 120_000,
  }, async () => {
    await server.stop();
    expect(await status()).toMatchObject({ parked: [{ workshopId: 2 }] });
    const done = await workshop('projections', 'skip', '2', '--version', '3', '--yes');
    expect(done).toMatchObject({ code: 0, out: 'workshop 2 is folded again\n' });
    expect(await status()).toMatchObject({ lag: 0, parked: [] });
    const elsewhere = await startProcess({
      command: process.execPath,
      args: [program, 'projections', 'status'],
      env: { ...env(), DATA_DIR: `${folder.path}/nothing` },
    });
    expect((await elsewhere.ended).code).toBe(1);
    expect(elsewhere.output()).toMatch(/^workshop: there are no workshops in .+\n$/);
    expect(existsSync(`${folder.path}/nothing`)).toBe(false);
  });

  it('[J11] asks at a terminal, and takes nothing but yes for it', { timeout: 120_000 }, async () => {
    await poison(3);
    await serve();
    await until(async () => (await status()).parked.length === 1, {
      what: 'it to be parked',
      timeout: 40_000,
    });
    const answered = (answer: string) => atTerminal(['projections', 'skip', '3', '--version', '3'], answer);
    expect(await answered('n')).toMatchObject({
      code: 1,
      text: expect.stringContaining('nothing was given up'),
    });
    expect((await status()).parked).toHaveLength(1);
    const yes = await answered('y');
    expect(yes).toMatchObject({ code: 0, text: expect.stringContaining('workshop 3 is folded again') });
    const rebuilt = await atTerminal(['projections', 'rebuild'], '');
    expect(rebuilt).toMatchObject({ code: 0, text: expect.stringMatching(/\[[#.]+\] +\d+ % folded anew/) });
  });
});

/** Runs a command on a terminal of its own (`script` of util-linux), and types an answer once it asks. */
async function atTerminal(
  words: readonly string[],
  answer: string,
): Promise<{ code: number | null; text: string }> {
  const command = [process.execPath, program, ...words].join(' ');
  const child = spawn('script', ['-qec', command, '/dev/null'], { env: { ...process.env, ...env() } });
  let text = '';
  let typed = false;
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    if (typed || !text.includes('[y/N]')) return;
    typed = true;
    child.stdin.write(`${answer}\n`);
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  child.stdin.destroy();
  return { code, text };
}

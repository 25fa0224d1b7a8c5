/** The contract of the log, on LMDB; and what only an embedded log has to stand: dying with its process, and readers beside it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { open } from 'lmdb';
import { afterEach, describe, expect, test } from 'vitest';
import { type EmbeddedLogOptions, embeddedLog } from '../../src/log/embedded/log.ts';
import { commandMemoryMs, type EventLog } from '../../src/log/log.ts';
import { type TemporaryFolder, temporaryFolder } from '../kit/folder.ts';
import { seeded } from '../kit/seeded.ts';
import { until } from '../kit/until.ts';
import { logContract } from './contract.ts';
import { as, command, fill, send, sent, versions } from './drafts.ts';

logContract('embedded', async () => {
  const folder = temporaryFolder('log');
  const log = await embeddedLog({ path: folder.path });
  return {
    log,
    second: async () => log,
    async close() {
      await log.close();
      await folder.close();
    },
  };
});

const opened: EventLog[] = [];
const folders: TemporaryFolder[] = [];

async function openLog(options: EmbeddedLogOptions): Promise<EventLog> {
  const log = await embeddedLog(options);
  opened.push(log);
  return log;
}

function newPath(): string {
  const folder = temporaryFolder('log');
  folders.push(folder);
  // A dot in the name must not make a file of it.
  return join(folder.path, 'v1.0');
}

afterEach(async () => {
  for (const log of opened.splice(0)) await log.close();
  for (const folder of folders.splice(0)) await folder.close();
});

const sources = new URL('../kit/sources.js', import.meta.url).href;

/** Starts a program beside this file; its lines come one by one. */
function start(program: string, ...args: string[]) {
  const file = fileURLToPath(new URL(program, import.meta.url));
  const child = spawn(process.execPath, ['--import', sources, file, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close');
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  return { child, lines, ended };
}

describe('a killed process', () => {
  test('three times killed while it writes, the log has every acknowledged append and no gap', {
    timeout: 60_000,
  }, async () => {
    const path = newPath();
    const random = seeded('kill');
    const acknowledged: string[] = [];
    for (let round = 0; round < 3; round += 1) {
      const { child, lines, ended } = start('writer.ts', path);
      const enough = 20 + random.below(300);
      await until(() => lines.length >= enough, { what: `${enough} appends`, timeout: 20_000 });
      child.kill('SIGKILL');
      await ended;
      // A last line that was cut off by the kill was acknowledged all the same, but cannot be read.
      acknowledged.push(...lines.filter((line) => /^\d+ \d+ \d+ [-0-9a-f]{36}$/.test(line)));

      const log = await embeddedLog({ path });
      for (const workshopId of [1, 2, 3, 4]) {
        const events = await log.events.read(workshopId, 0, 100_000);
        expect(versions(events)).toEqual(events.map((_, index) => index + 1));
        expect((await log.events.head(workshopId))?.version ?? 0).toBe(events.length);
      }
      for (const line of acknowledged) {
        const [workshopId = 0, from = 0, to = 0] = line.split(' ').map(Number);
        const commandId = line.split(' ')[3] ?? '';
        const events = await log.events.read(workshopId, from - 1, to - from + 1);
        expect(events.map((event) => event.commandId)).toEqual(
          Array.from({ length: to - from + 1 }, () => commandId),
        );
        expect((await log.commands.check(workshopId, to, 7, commandId)).done).toEqual({
          version: to,
          fingerprint: 'print',
        });
      }
      await log.close();
    }
    expect(acknowledged.length).toBeGreaterThanOrEqual(60);
  });

  test('what it held is found by the next process, one lease after that began', async () => {
    const path = newPath();
    let time = 1_000_000;
    const now = () => time;
    const before = await embeddedLog({ path, now });
    await before.presence.renew('old', 15_000);
    await before.presence.hold(1, [7, 8], 'old');
    await before.close();

    time += 3_600_000;
    const after = await openLog({ path, now });
    await after.presence.renew('new', 15_000);
    expect(await after.presence.expired()).toEqual([]);
    await after.presence.hold(1, [8], 'new');
    time += 14_999;
    await after.presence.renew('new', 15_000);
    expect(await after.presence.expired()).toEqual([]);
    time += 1;
    expect(await after.presence.expired()).toEqual([{ node: 'old', workshopId: 1, userIds: [7] }]);
  });
});

describe('beside the writing process', () => {
  test('another one follows and reads the log, and cannot write', async () => {
    const path = newPath();
    const log = await openLog({ path });
    await fill(log, 1, 3);
    const { child, lines, ended } = start('reader.ts', path);
    await until(() => lines.includes('ready'), { what: 'the reader to begin', timeout: 10_000 });
    await fill(log, 1, 2);
    await fill(log, 2, 1);
    await until(() => lines.includes('2:1'), { what: 'the reader to see the last event', timeout: 10_000 });
    expect(lines.slice(0, 2)).toEqual(['write unavailable', 'open 1:3']);
    expect(lines.filter((line) => /^\d/.test(line))).toEqual(['1:1', '1:2', '1:3', '1:4', '1:5', '2:1']);
    child.kill('SIGTERM');
    await ended;
  });
});

describe('opening', () => {
  test('everything is as it was left: events, epoch, command ids, ids, timers', async () => {
    const path = newPath();
    const one = command({ remember: true, fingerprint: 'f' });
    const first = await embeddedLog({ path });
    const { epoch } = await sent(first, { workshopId: 1, wakes: true }, one);
    const key = { userId: 7, key: 'k', fingerprint: 'f' };
    const { workshopId } = await first.ids.allocate(key);
    await first.close();

    const again = await openLog({ path });
    expect(await again.events.head(1)).toEqual({ version: 1, epoch, past: new Map() });
    as('done', await send(again, { workshopId: 1, base: 1 }, one));
    expect((await again.ids.allocate(key)).workshopId).toBe(workshopId);
    expect(await again.timers.claim(10, 0)).toEqual([1]);
  });

  test('a folder without a log is not made one by a reader', async () => {
    const path = newPath();
    await expect(embeddedLog({ path, readOnly: true })).rejects.toThrow(`there is no event log in ${path}`);
    mkdirSync(path);
    await expect(embeddedLog({ path, readOnly: true })).rejects.toThrow('there is no event log');
  });

  test('[L12] a store of another format is refused with both numbers and what to do', async () => {
    const path = newPath();
    await (await embeddedLog({ path })).close();
    const root = open({ path, noSubdir: false, overlappingSync: false });
    await root.openDB({ name: 'settings' }).put('format', 99);
    await root.close();
    await expect(embeddedLog({ path })).rejects.toThrow(
      `the event log in ${path} has format 99; this version of the program reads format 1: upgrade the program`,
    );
  });

  test('a file that is no store is refused by name', async () => {
    const path = newPath();
    mkdirSync(path);
    writeFileSync(join(path, 'data.mdb'), 'not a store'.repeat(1_000));
    await expect(embeddedLog({ path })).rejects.toThrow(`the event log in ${path} cannot be opened`);
  });

  test('a closed log says unavailable', async () => {
    const log = await embeddedLog({ path: newPath() });
    await log.close();
    await expect(send(log, { workshopId: 1 }, command())).rejects.toMatchObject({ code: 'unavailable' });
    await expect(log.ping()).rejects.toMatchObject({ code: 'unavailable' });
    await expect(log.events.head(1)).rejects.toMatchObject({ code: 'unavailable' });
  });
});

describe('rewriting that ends in the middle', () => {
  test('leaves no room behind that was folded from what is taken out already', async () => {
    const log = await openLog({ path: newPath() });
    await fill(log, 1, 600);
    const { version = 0, epoch = '' } = (await log.events.head(1)) ?? {};
    await log.snapshots.keep(1, { version, epoch, room: 'with the name' });
    expect(await log.snapshots.read(1)).not.toBeNull();
    // The second page is not looked at any more.
    const ending = log.streams.rewrite(1, (event) => {
      if (event.version > 500) throw new Error('the process ends');
      return { ...(event.data as object), name: null };
    });
    await expect(ending).rejects.toThrow('the process ends');
    expect(await log.snapshots.read(1)).toBeNull();
  });
});

describe('the clock', () => {
  test('where it is set back, times of a workshop stay where they were', async () => {
    let time = 2_000_000;
    const log = await openLog({ path: newPath(), now: () => time });
    const first = await sent(log, { workshopId: 1 }, command());
    time -= 1_000_000;
    const second = await sent(log, { workshopId: 1, base: 1 }, command());
    expect([first.at, second.at]).toEqual([2_000_000, 2_000_000]);
  });

  test('command ids are remembered for their time and forgotten after twice that, a few with each append', async () => {
    let time = 2_000_000;
    const log = await openLog({ path: newPath(), now: () => time });
    const old = Array.from({ length: 5 }, () => command({ remember: true }));
    await sent(log, { workshopId: 1 }, ...old);
    const isDone = async () =>
      Promise.all(
        old.map(async ({ commandId }) => (await log.commands.check(1, 5, 7, commandId)).done !== null),
      );
    time += commandMemoryMs;
    await sent(log, { workshopId: 1, base: 5 }, command());
    expect(await isDone()).toEqual([true, true, true, true, true]);
    time += commandMemoryMs + 1;
    await sent(log, { workshopId: 1, base: 6 }, command());
    await log.events.read(1, 0, 1);
    expect(await isDone()).toEqual([false, false, false, false, false]);
    // An id that was forgotten is free again, and remembered anew.
    const [first = command()] = old;
    await sent(log, { workshopId: 1, base: 7 }, first);
    as('done', await send(log, { workshopId: 1, base: 8 }, first));
  });

  test('a key gives another id after a day', async () => {
    let time = 2_000_000;
    const log = await openLog({ path: newPath(), now: () => time });
    const key = { userId: 7, key: 'k', fingerprint: 'f' };
    const { workshopId } = await log.ids.allocate(key);
    time += 24 * 60 * 60_000 - 1;
    expect((await log.ids.allocate(key)).workshopId).toBe(workshopId);
    time += 1;
    expect((await log.ids.allocate({ ...key, fingerprint: 'g' })).workshopId).not.toBe(workshopId);
    expect((await log.ids.allocate(key)).fingerprint).toBe('g');
  });
});

describe('a group of writes', () => {
  test('one that fails leaves the others of its commit as they are', async () => {
    const log = await openLog({ path: newPath() });
    const tooLong = command({ remember: true, commandId: 'x'.repeat(3_000) });
    const answers = await Promise.allSettled([
      send(log, { workshopId: 1 }, command()),
      send(log, { workshopId: 2 }, tooLong),
      send(log, { workshopId: 3 }, command()),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(await log.streams.open(0)).toEqual(
      new Map([
        [1, 1],
        [3, 1],
      ]),
    );
    expect(await log.events.read(2, 0, 10)).toEqual([]);
  });
});

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dataFolder, FolderInUse } from '../../src/dataFolder.ts';
import { temporaryFolder } from '../kit/folder.ts';

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  folder = temporaryFolder('data');
});
afterEach(() => folder.close());

const path = () => `${folder.path}/data`;

/** Leaves a folder behind as its process would that held it last. */
async function leave(at: string, holder: object): Promise<void> {
  await mkdir(`${at}/lock`, { recursive: true });
  await writeFile(`${at}/lock/holder.4`, JSON.stringify(holder));
}

const dead = { pid: 4_194_305, began: '1', ticket: '' };

async function atOnce(count: number) {
  const tried = await Promise.allSettled(Array.from({ length: count }, () => dataFolder(path(), true)));
  const got = tried.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const refused = tried.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
  return { got, refused };
}

describe('a data folder', () => {
  it.each([
    ['that nobody had', undefined],
    ['whose process died', dead],
    ['whose pid is another process by now', { ...dead, pid: process.pid }],
    ['that was given free', { ...dead, pid: process.pid, began: undefined, released: true }],
  ])('[F24] %s is given to one of many who ask at once', async (_, holder) => {
    if (holder !== undefined) await leave(path(), holder);
    const { got, refused } = await atOnce(20);
    expect(got).toHaveLength(1);
    expect(refused.every((reason) => reason instanceof FolderInUse)).toBe(true);
    expect(String(refused[0])).toContain(`process ${process.pid}`);
    await got[0]?.close();
    const again = await dataFolder(path(), true);
    await again.close();
  });

  it('[F24] is had by one process, whichever of several come at the same moment', {
    timeout: 60_000,
  }, async () => {
    const asker = fileURLToPath(new URL('asker.ts', import.meta.url));
    const sources = new URL('../kit/sources.js', import.meta.url).href;
    const askers = [1, 2, 3, 4, 5].map(() => fork(asker, { execArgv: ['--import', sources] }));
    const said = async () =>
      (await Promise.all(askers.map((each) => once(each, 'message')))).map(([word]) => word);
    try {
      await said();
      for (let round = 1; round <= 200; round++) {
        const at = `${path()}.${round}`;
        if (round % 2 === 0) await leave(at, dead);
        const answers = said();
        for (const each of askers) each.send(at);
        expect((await answers).sort(), `round ${round}`).toEqual(['had', ...Array(4).fill('refused')]);
      }
    } finally {
      for (const each of askers) each.kill('SIGKILL');
    }
  });

  it('has one secret, whoever asks first', async () => {
    const folders = await Promise.all(Array.from({ length: 10 }, () => dataFolder(path(), false)));
    const secrets = await Promise.all(folders.map((each) => each.secret()));
    expect(new Set(secrets).size).toBe(1);
    expect(secrets[0]?.length).toBeGreaterThanOrEqual(32);
  });
});

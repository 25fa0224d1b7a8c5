import { mkdir } from 'node:fs/promises';
import { open } from 'lmdb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dataFolder, FolderInUse } from '../src/dataFolder.ts';
import { temporaryFolder } from './kit/folder.ts';

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  folder = temporaryFolder('data');
});
afterEach(() => folder.close());

const path = () => `${folder.path}/data`;

async function atOnce(count: number) {
  const tried = await Promise.allSettled(Array.from({ length: count }, () => dataFolder(path(), true)));
  const got = tried.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const refused = tried.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
  return { got, refused };
}

describe('a data folder', () => {
  it.each([
    ['that nobody had', undefined],
    ['whose process died', { pid: 4_194_305, began: '1', ticket: '' }],
    ['whose pid is another process by now', { pid: process.pid, began: '1', ticket: '' }],
  ])('%s is given to one of many who ask at once', async (_, stale) => {
    await mkdir(path());
    if (stale !== undefined) {
      const store = open({ path: `${path()}/lock`, noSubdir: false });
      await store.put('holder', stale);
      await store.close();
    }
    const { got, refused } = await atOnce(20);
    expect(got).toHaveLength(1);
    expect(refused.every((reason) => reason instanceof FolderInUse)).toBe(true);
    expect(String(refused[0])).toContain(`process ${process.pid}`);
    await got[0]?.close();
    const again = await dataFolder(path(), true);
    await again.close();
  });

  it('has one secret, whoever asks first', async () => {
    const folders = await Promise.all(Array.from({ length: 10 }, () => dataFolder(path(), false)));
    const secrets = await Promise.all(folders.map((each) => each.secret()));
    expect(new Set(secrets).size).toBe(1);
    expect(secrets[0]?.length).toBeGreaterThanOrEqual(32);
  });
});

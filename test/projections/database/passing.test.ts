/** An embedded database that can't be opened for a reason that passes is told of, tried again, and keeps what it has. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { openDatabase } from '../../../projections/database/open.ts';
import { dataFolder, fillDataFolder } from '../../kit/dataFolder.ts';
import { startProcess } from '../../kit/process.ts';
import { smallFolder, withoutSmallFolders } from '../../kit/smallFolder.ts';

vi.setConfig({ testTimeout: 60_000 });

const sources = join(import.meta.dirname, '../../kit/sources.js');
const opener = join(import.meta.dirname, 'opener.ts');
const argumentsOf = (folder: string, obstacle: string) => ['--import', sources, opener, folder, obstacle];

async function withARow(folder: string): Promise<void> {
  const database = openDatabase({ folder }, { onError: () => undefined });
  await database.query(
    `insert into projection_parked values (5, 'rooms', 0, 1, 'kept', 1, now(), false)`,
    [],
  );
  await database.close();
}

describe('a passing failure', () => {
  // The thread does not start, or not as far as the folder.
  it.each([0, 40])('[B16] too many open files, with %i to spare', async (spare) => {
    const folder = await dataFolder('passing');
    const path = join(folder.path, 'database');
    await withARow(path);
    const running = await startProcess({
      command: 'sh',
      args: ['-c', 'ulimit -n 512; exec "$@"', 'sh', process.execPath, ...argumentsOf(path, 'files')],
      env: { SPARE_FILES: String(spare) },
    });
    expect((await running.ended).code, running.output()).toBe(0);
    expect(running.stdout()).toMatch(
      /^(error: the projections in the data folder cannot be opened for now: .*EMFILE.*\n){2,}open: 5\n$/,
    );
    await folder.close();
  });

  it.skipIf(withoutSmallFolders)('[B16] a full disk', async () => {
    const small = await smallFolder(96 * 1_024);
    await fillDataFolder(small.outside);
    await withARow(join(small.outside, 'database'));
    const filling = join(small.path, 'filling');
    expect(() =>
      execFileSync('dd', ['if=/dev/zero', `of=${join(small.outside, 'filling')}`, 'bs=64k'], {
        stdio: 'ignore',
      }),
    ).toThrow();
    const running = await startProcess(
      small.within({ command: process.execPath, args: argumentsOf(join(small.path, 'database'), filling) }),
    );
    expect((await running.ended).code, running.output()).toBe(0);
    expect(running.stdout()).toMatch(
      /^(error: the projections in the data folder cannot be opened for now: ENOSPC.*\n){2}open: 5\n$/,
    );
    await small.close();
  });
});

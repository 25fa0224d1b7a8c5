/** What `npm start` does before anything else: the sources are compiled when that is due, and nothing of another user's is run. */
import { spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { type TemporaryFolder, temporaryFolder } from '../kit/folder.ts';

const root = join(import.meta.dirname, '../..');
const folders: TemporaryFolder[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await folder.close();
});

/** A copy of what an installation holds. */
function installation(): string {
  const folder = temporaryFolder('installed');
  folders.push(folder);
  for (const part of ['bin', 'src', 'projections', 'web', 'package.json', 'tsconfig.json'])
    cpSync(join(root, part), join(folder.path, part), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(folder.path, 'node_modules'));
  return folder.path;
}

function workshop(folder: string, words: string[], env: Record<string, string> = {}) {
  return spawnSync(process.execPath, ['bin/workshop.js', ...words], {
    cwd: folder,
    encoding: 'utf8',
    env: { PATH: process.env.PATH, ...env },
  });
}

const made = (folder: string) => readdirSync(join(folder, 'dist'));

test('[W1] the program is compiled once, and again when a source has changed', () => {
  const folder = installation();
  expect(workshop(folder, ['--help'])).toMatchObject({ status: 0, stderr: '' });
  const first = made(folder);
  expect(workshop(folder, ['--help']).status).toBe(0);
  expect(made(folder)).toEqual(first);
  expect(first).toHaveLength(1);
  const changed = join(folder, 'src/cli/main.ts');
  appendFileSync(changed, "process.stdout.write('another one\\n');\n");
  expect(workshop(folder, ['--help']).stdout).toContain('another one');
  expect(made(folder)).toHaveLength(2);
});

test('[W2] what another user put where temporary files go is not run, and no such folder is needed', () => {
  const folder = installation();
  const temporary = join(folder, 'temporary');
  // Where compilers for Node keep what they made, with something in it that would be told of.
  const planted = join(temporary, `tsx-${process.getuid?.() ?? 0}`);
  mkdirSync(planted, { recursive: true });
  const before = readdirSync(temporary, { recursive: true });
  expect(workshop(folder, ['--help'], { TMPDIR: temporary }).status).toBe(0);
  expect(readdirSync(temporary, { recursive: true })).toEqual(before);
  writeFileSync(join(folder, 'src/cli/added.ts'), '');
  const nowhere = { TMPDIR: join(folder, 'nowhere') };
  expect(workshop(folder, ['--help'], nowhere)).toMatchObject({ status: 0, stderr: '' });
});

test('[W3] it runs from a folder that it can’t write to, where nothing was compiled beforehand', () => {
  const folder = installation();
  writeFileSync(join(folder, 'dist'), 'a file where the folder would be');
  const run = workshop(folder, ['--help']);
  expect(run).toMatchObject({ status: 0, stderr: '' });
  expect(run.stdout).toContain('serve');
});

test('[W4] a stack trace names the line of the source', () => {
  const folder = installation();
  const file = join(folder, 'src/cli/main.ts');
  appendFileSync(file, "export type Nothing = never;\nconsole.error(new Error('looked for').stack);\n");
  expect(workshop(folder, ['--help']).stderr).toMatch(/looked for\n\s+at .*src\/cli\/main\.ts:\d+:\d+/);
});

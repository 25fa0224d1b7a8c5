/** A copy of the sources for one mutant at a time, and a process that runs its tests there. The sources themselves are not touched. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Mutant } from './mutant.ts';
import type { Asked, Told } from './worker.ts';

export const root = join(import.meta.dirname, '../..');
const notCopied = new Set(['node_modules', '.git', 'data', 'dist', join('test', '.results')]);
/** How long the tests of one mutant may take. */
export const patienceMs = 240_000;

export interface Tree {
  run(asked: Omit<Asked, 'changed'>): Promise<Told>;
  /** Undefined where the tests do not end. */
  broken(mutant: Mutant): Promise<Told | undefined>;
  close(): Promise<void>;
  /** Ends it without a word. */
  kill(): void;
}

/** A copy of the sources, and a process that runs its tests. */
export function treeIn(folder: string): Tree {
  mkdirSync(folder);
  cpSync(root, folder, {
    recursive: true,
    filter: (source) => !notCopied.has(relative(root, source)),
  });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  /** What the process may still take for what it was. */
  let stale: string[] = [];
  let worker = workerIn(folder);

  async function run(asked: Omit<Asked, 'changed'>): Promise<Told> {
    const changed = stale;
    stale = [];
    return worker.ask({ ...asked, changed });
  }

  return {
    run,
    async broken(mutant) {
      const path = join(folder, mutant.file);
      writeFileSync(path, broken(mutant));
      stale.push(path);
      const timer = new AbortController();
      const late = pause(patienceMs, undefined, { signal: timer.signal }).catch(() => undefined);
      try {
        const told = await Promise.race([run({ files: mutant.tests, titles: mutant.titled }), late]);
        if (told !== undefined) return told;
        worker.kill();
        worker = workerIn(folder);
        return undefined;
      } finally {
        timer.abort();
        cpSync(join(root, mutant.file), path);
        stale.push(path);
      }
    },
    close: () => worker.close(),
    kill: () => worker.kill(),
  };
}

function workerIn(folder: string) {
  const child = fork(join(folder, 'test', 'mutants', 'worker.ts'), {
    cwd: folder,
    execArgv: ['--import', 'tsx'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    // With a group of its own: a test that hangs does so in a process of the test runner's, which would go on.
    detached: true,
  });
  const ended = once(child, 'exit');
  let answer: { resolve(told: Told): void; reject(error: Error): void } | undefined;
  child.on('message', (told: Told) => answer?.resolve(told));
  child.on('exit', () => answer?.reject(new Error('the process that ran the tests has ended')));
  return {
    ask: (asked: Asked) =>
      new Promise<Told>((resolve, reject) => {
        answer = { resolve, reject };
        // One that has not begun yet finds it when it does.
        child.send(asked);
      }),
    async close(): Promise<void> {
      answer = undefined;
      if (child.connected) child.disconnect();
      await ended;
    },
    kill(): void {
      answer = undefined;
      const isThere = child.exitCode === null && child.signalCode === null;
      if (child.pid !== undefined && isThere) process.kill(-child.pid, 'SIGKILL');
    },
  };
}

/** The text of the mutant's file with the line broken. */
export function broken({ file, text, becomes }: Mutant): string {
  return readFileSync(join(root, file), 'utf8').replace(text, () => becomes);
}

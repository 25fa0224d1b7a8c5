/**
 * A folder on a file system of its own that is soon full. It is mounted in a namespace of its own, so that it goes with the
 * process that holds it, whatever happens to the test; where this process is not root, in a user namespace too.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { temporaryFolder } from './folder.ts';
import { type Program, startProcess } from './process.ts';

export interface SmallFolder {
  /** As programs that are started `within` see it. */
  readonly path: string;
  /** As everyone else does. */
  readonly outside: string;
  /** That program, with the folder in its sight. */
  within(program: Program): Program;
  /** Removes it all; what runs in it has to be closed before. */
  close(): Promise<void>;
}

const isRoot = process.getuid?.() === 0;
const unshare = ['unshare', '--mount', ...(isRoot ? [] : ['--user', '--map-root-user'])];
const nsenter = (pid: number) => [
  'nsenter',
  `--mount=/proc/${pid}/ns/mnt`,
  ...(isRoot ? [] : [`--user=/proc/${pid}/ns/user`, '--preserve-credentials']),
];

/** Why there can be no such folder on this machine; undefined where there can. */
export const withoutSmallFolders: string | undefined = (() => {
  const [command = '', ...args] = unshare;
  const { error, status, stderr } = spawnSync(command, [...args, 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], {
    encoding: 'utf8',
  });
  if (status === 0) return undefined;
  return `a full disk needs a tmpfs of its own, which is not to be had here: ${error?.message ?? stderr.trim()}`;
})();

export async function smallFolder(kibibytes: number): Promise<SmallFolder> {
  const folder = temporaryFolder('small');
  const [command = '', ...args] = unshare;
  const mount = `mount -t tmpfs -o size=${kibibytes}k tmpfs ${folder.path} && echo mounted && exec sleep infinity`;
  const holder = await startProcess({ command, args: [...args, 'sh', '-c', mount] });
  await holder.waitFor(/mounted/);
  return {
    path: folder.path,
    outside: join(`/proc/${holder.pid}/root`, folder.path),
    within(program) {
      const [enter = '', ...options] = nsenter(holder.pid);
      return { ...program, command: enter, args: [...options, program.command, ...(program.args ?? [])] };
    },
    async close() {
      await holder.stop();
      await folder.close();
    },
  };
}

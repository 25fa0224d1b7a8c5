/**
 * The data folder: one serving process at a time, its own secret, and where the command line finds the running server.
 *
 *   lock         pid of the serving process and when that process began
 *   secret       signs tokens where no AUTH_SECRET is given
 *   server.json  address of the running server and the key with which the command line speaks to it
 */
import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';

export interface DataFolder {
  readonly path: string;
  /** Path of something inside. */
  file(name: string): string;
  secret(): Promise<string>;
  /** Says where the server can be reached; only the folder's owner may read it. */
  announce(server: RunningServer): Promise<void>;
  /** Gives the folder free for another process. */
  close(): Promise<void>;
}

const runningServer = z.object({ pid: z.int(), url: z.string(), key: z.string() });
export type RunningServer = z.infer<typeof runningServer>;

const ownerOnly = 0o600;

/** Someone else serves this folder. */
export class FolderInUse extends Error {}

/** Opens the folder; `exclusive` where this process alone may write to what lies in it. */
export async function dataFolder(given: string, exclusive: boolean): Promise<DataFolder> {
  const path = resolve(given);
  const file = (name: string) => join(path, name);
  await mkdir(path, { recursive: true, mode: 0o700 });
  if (exclusive) await lock(path, file('lock'));
  return {
    path,
    file,
    async secret() {
      const made = `${file('secret')}.${randomBytes(4).toString('hex')}`;
      await writeFile(made, `${randomBytes(36).toString('base64url')}\n`, { mode: ownerOnly });
      // The first one stays, whoever starts at the same time.
      await linked(made, file('secret'));
      await rm(made);
      return (await readFile(file('secret'), 'utf8')).trim();
    },
    async announce(server) {
      await rm(file('server.json'), { force: true });
      await writeFile(file('server.json'), JSON.stringify(server), { mode: ownerOnly });
    },
    async close() {
      if (!exclusive) return;
      await rm(file('server.json'), { force: true });
      await rm(file('lock'), { force: true });
    },
  };
}

/** The server that serves this folder now, if one does. */
export async function serverOf(given: string): Promise<RunningServer | undefined> {
  try {
    const found = runningServer.parse(
      JSON.parse(await readFile(join(resolve(given), 'server.json'), 'utf8')),
    );
    return (await isAlive({ pid: found.pid, began: undefined })) ? found : undefined;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

interface Holder {
  pid: number;
  /** When the process began, as Linux counts it; tells it from a later one with the same pid. */
  began: string | undefined;
}

/**
 * A lock file appears whole, by a link, and only where there is none. One whose process is dead is first moved aside: of
 * several processes that find it, one moves it, and whoever moved a living one's by mistake puts it back.
 */
async function lock(path: string, file: string): Promise<void> {
  const mine = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`;
  const aside = `${mine}.stale`;
  await writeFile(mine, JSON.stringify({ pid: process.pid, began: await beganAt(process.pid) }), {
    mode: ownerOnly,
  });
  try {
    while (!(await linked(mine, file))) {
      const holder = await holderOf(file);
      if (holder !== undefined && (await isAlive(holder))) throw inUse(path, holder);
      try {
        await rename(file, aside);
      } catch (error) {
        if (isMissing(error)) continue;
        throw error;
      }
      const moved = await holderOf(aside);
      if (moved !== undefined && (await isAlive(moved))) {
        await linked(aside, file);
        throw inUse(path, moved);
      }
    }
  } finally {
    await rm(mine, { force: true });
    await rm(aside, { force: true });
  }
}

function inUse(path: string, { pid }: Holder): FolderInUse {
  return new FolderInUse(`${path} is in use by process ${pid}: stop it, or give another DATA_DIR`);
}

/** False where there is a file of the new name already. */
async function linked(existing: string, name: string): Promise<boolean> {
  try {
    await link(existing, name);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

async function holderOf(file: string): Promise<Holder | undefined> {
  try {
    const { pid, began } = JSON.parse(await readFile(file, 'utf8')) as Partial<Holder>;
    return typeof pid === 'number' ? { pid, began } : undefined;
  } catch {
    // Written by a process that died before it had said who it was.
    return undefined;
  }
}

async function isAlive({ pid, began }: Holder): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it lives and belongs to someone else.
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return false;
  }
  const now = await beganAt(pid);
  return began === undefined || now === undefined || now === began;
}

/** Field 22 of /proc/<pid>/stat; undefined where there is no /proc. */
async function beganAt(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

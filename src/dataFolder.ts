/**
 * The data folder: one serving process at a time, its own secret, and where the command line finds the running server.
 *
 *   lock/        pid of the serving process and when that process began
 *   secret       signs tokens where no AUTH_SECRET is given
 *   server.json  address of the running server and the key with which the command line speaks to it
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { open, type RootDatabase } from 'lmdb';
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
const announced = runningServer.extend({ began: z.string().optional() });

const ownerOnly = 0o600;

/** Someone else serves this folder. */
export class FolderInUse extends Error {}

/** Opens the folder; `exclusive` where this process alone may write to what lies in it. */
export async function dataFolder(given: string, exclusive: boolean): Promise<DataFolder> {
  const path = resolve(given);
  const file = (name: string) => join(path, name);
  await mkdir(path, { recursive: true, mode: 0o700 });
  const unlock = exclusive ? await lock(path, file('lock')) : undefined;
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
      const made = `${file('server.json')}.${randomBytes(4).toString('hex')}`;
      await writeFile(made, JSON.stringify({ ...server, began: beganAt(server.pid) }), { mode: ownerOnly });
      await rename(made, file('server.json'));
    },
    async close() {
      if (unlock === undefined) return;
      await rm(file('server.json'), { force: true });
      await unlock();
    },
  };
}

/** The server that serves this folder now, if one does. */
export async function serverOf(given: string): Promise<RunningServer | undefined> {
  try {
    const { pid, began, ...found } = announced.parse(
      JSON.parse(await readFile(join(resolve(given), 'server.json'), 'utf8')),
    );
    return isAlive({ pid, began }) ? { pid, ...found } : undefined;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** The folder's own secret, if one was made. */
export async function secretOf(given: string): Promise<string | undefined> {
  try {
    return (await readFile(join(resolve(given), 'secret'), 'utf8')).trim();
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

interface Holder {
  pid: number;
  /** When the process began, as Linux counts it; tells it from a later one with the same pid. */
  began: string | undefined;
  /** Tells its own entry from any other. */
  ticket: string;
}

/**
 * Who serves the folder is written down under LMDB's own lock between processes, which the system lifts from a process that
 * dies: of many that find a dead one's entry at once, one gets the folder.
 */
async function lock(path: string, folder: string): Promise<() => Promise<void>> {
  const mine: Holder = {
    pid: process.pid,
    began: beganAt(process.pid),
    ticket: randomBytes(8).toString('hex'),
  };
  const change = async <T>(work: (found: Holder | undefined, store: RootDatabase) => T): Promise<T> => {
    const store = open({ path: folder, noSubdir: false });
    try {
      return store.transactionSync(() => work(store.get('holder') as Holder | undefined, store));
    } finally {
      await store.close();
    }
  };
  await change((found, store) => {
    if (found !== undefined && isAlive(found))
      throw new FolderInUse(`${path} is in use by process ${found.pid}: stop it, or give another DATA_DIR`);
    store.putSync('holder', mine);
  });
  return () =>
    change((found, store) => {
      if (found?.ticket === mine.ticket) store.removeSync('holder');
    });
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

function isAlive({ pid, began }: Pick<Holder, 'pid' | 'began'>): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it lives and belongs to someone else.
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return false;
  }
  const now = beganAt(pid);
  return began === undefined || now === undefined || now === began;
}

/** Field 22 of /proc/<pid>/stat; undefined where there is no /proc. */
function beganAt(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

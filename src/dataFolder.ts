/**
 * The data folder: one serving process at a time, its own secret, and where the command line finds the running server.
 *
 *   lock/        who serves it: pid and when that process began
 *   secret       signs tokens where no AUTH_SECRET is given
 *   server.json  address of the running server and the key with which the command line speaks to it
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { link, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
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
 * Who serves the folder stands in the file of the highest number, which is never deleted. Taking the folder over from a dead one is
 * making the next: of many that find it dead at once the system lets one, and who comes with an old number finds a higher one.
 *
 * ```
 *   holder.4 (dead) ──► holder.5 by one of many ──► holder.4 is cleared away ──► holder.5 says `released` at its end
 * ```
 */
async function lock(path: string, folder: string): Promise<() => Promise<void>> {
  const mine: Holder = {
    pid: process.pid,
    began: beganAt(process.pid),
    ticket: randomBytes(8).toString('hex'),
  };
  const file = (number: number) => join(folder, `holder.${number}`);
  const written = async (holder: Holder & { released?: true }) => {
    const made = join(folder, `${mine.ticket}.made`);
    await writeFile(made, JSON.stringify(holder), { mode: ownerOnly });
    return made;
  };
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (;;) {
    const numbers = await numbersIn(folder);
    const last = numbers[0] ?? 0;
    const found = last === 0 ? undefined : await holderIn(file(last));
    if (found !== undefined && isAlive(found))
      throw new FolderInUse(`${path} is in use by process ${found.pid}: stop it, or give another DATA_DIR`);
    const made = await written(mine);
    const isMade = await linked(made, file(last + 1));
    await rm(made);
    if (!isMade) continue;
    const [highest = 0] = await numbersIn(folder);
    if (highest === last + 1) {
      for (const older of numbers) await rm(file(older), { force: true });
      return async () => rename(await written({ ...mine, released: true }), file(highest));
    }
    await rm(file(last + 1), { force: true });
  }
}

/** The highest first. */
async function numbersIn(folder: string): Promise<number[]> {
  const numbers = (await readdir(folder)).flatMap((name) => /^holder\.(\d+)$/.exec(name)?.[1] ?? []);
  return numbers.map(Number).sort((a, b) => b - a);
}

/** Undefined where it is released, or cleared away by a later one. */
async function holderIn(file: string): Promise<Holder | undefined> {
  try {
    const { released, ...holder } = JSON.parse(await readFile(file, 'utf8')) as Holder & { released?: true };
    return released ? undefined : holder;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
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

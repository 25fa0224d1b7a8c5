/**
 * Whether a folder in which PGlite does not open is damaged, or something stands in the way that may pass: no room on the disk, too
 * many open files, no right to it, no memory. PGlite mostly says no more than that it failed, so the folder itself is tried.
 */
import { type FileHandle, open, readdir, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sqlState } from './database.ts';

const codes = new Set([
  ...['EMFILE', 'ENFILE', 'ENOSPC', 'EDQUOT', 'EACCES', 'EPERM', 'EROFS', 'EIO', 'ENOMEM', 'EAGAIN', 'EBUSY'],
  // The thread did not come as far as the folder.
  ...['ERR_WORKER_OUT_OF_MEMORY', 'ERR_WORKER_INIT_FAILED', 'ERR_MODULE_NOT_FOUND'],
]);
/** As PGlite's file system numbers them, in the order of `EACCES` … `EROFS`. */
const numbers = new Map([
  [2, 'EACCES'],
  [6, 'EAGAIN'],
  [10, 'EBUSY'],
  [19, 'EDQUOT'],
  [29, 'EIO'],
  [33, 'EMFILE'],
  [41, 'ENFILE'],
  [48, 'ENOMEM'],
  [51, 'ENOSPC'],
  [63, 'EPERM'],
  [69, 'EROFS'],
]);
/** Postgres' own words for the same: no resources, ended by somebody, a system call that failed. */
const states = /^(53|57|58030)/;

/** Why a try to open it failed, where that may pass; undefined where the folder itself is at fault. */
export async function passingReason(error: unknown, folder: string): Promise<string | undefined> {
  return saidBy(error) ?? (await tried(folder));
}

function saidBy(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { code, errno, message } = at as NodeJS.ErrnoException;
    const name = code ?? numbers.get(errno ?? 0);
    if (name !== undefined && codes.has(name))
      return message?.startsWith(name) ? message : [name, message].filter(Boolean).join(': ');
    if (states.test(sqlState(at) ?? '') || at instanceof RangeError) return message;
  }
  return undefined;
}

/** A segment of its log and something beside it. */
const neededBytes = 32 * 1_024 * 1_024;
/** So many files it has open at once, roughly. */
const filesAtOnce = 64;

async function tried(folder: string): Promise<string | undefined> {
  const trial = join(folder, '..', `.trial-${process.pid}`);
  const handles: FileHandle[] = [];
  try {
    const { bavail, bsize } = await statfs(join(folder, '..'));
    if (bavail * bsize < neededBytes) return 'ENOSPC: there is hardly any room left on the disk';
    await writeFile(trial, Buffer.alloc(64 * 1_024), { flush: true });
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      handles.push(await open(join(entry.parentPath, entry.name), 'r+'));
      if (handles.length === filesAtOnce) await Promise.all(handles.splice(0).map((each) => each.close()));
    }
    return undefined;
  } catch (error) {
    return saidBy(error);
  } finally {
    await Promise.all(handles.map((each) => each.close()));
    await rm(trial, { force: true }).catch(() => undefined);
  }
}

/**
 * Data folders for embedded servers. PGlite takes seconds of a core to make a database, so it is made once for this version of
 * it and of the migrations (`global.ts`) and copied; tests of the very first start take an empty `temporaryFolder`.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { inject } from 'vitest';
import { openDatabase } from '../../projections/database/open.ts';
import { type TemporaryFolder, temporaryFolder } from './folder.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    emptyDatabase: string;
  }
}

const execute = promisify(execFile);
const root = join(import.meta.dirname, '../..');

/** What an empty database depends on. */
function version(): string {
  const hash = createHash('sha256');
  const entrance = createRequire(import.meta.url).resolve('@electric-sql/pglite');
  hash.update(readFileSync(join(entrance, '../../package.json')));
  const migrations = join(root, 'projections/migrations');
  for (const file of readdirSync(migrations).sort())
    if (file.endsWith('.sql')) hash.update(readFileSync(join(migrations, file)));
  return hash.digest('hex').slice(0, 16);
}

/** The path of a folder with a migrated database that holds nothing, made where there is none yet. */
export async function emptyDatabase(): Promise<string> {
  const kept = join(root, 'node_modules/.cache/workshop-rooms', `empty-database-${version()}`);
  if (existsSync(kept)) return kept;
  const making = `${kept}.${process.pid}`;
  await mkdir(making, { recursive: true });
  const onError = (error: unknown) => {
    throw error;
  };
  const database = openDatabase({ folder: join(making, 'database') }, { onError });
  await database.ready;
  await database.close();
  // Another run may have been faster.
  await rename(making, kept).catch(() => rm(making, { recursive: true }));
  return kept;
}

/** A new folder in which a server finds an empty database at its first start; in the folder `under` it, where given. */
export async function dataFolder(name: string, under = '.'): Promise<TemporaryFolder> {
  const folder = temporaryFolder(name);
  await fillDataFolder(join(folder.path, under));
  return folder;
}

/** The same in a folder of the caller's. */
export async function fillDataFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true });
  // A thousand small files, which Node takes twice as long for.
  await execute('cp', ['-R', `${inject('emptyDatabase')}/.`, path]);
}

/** Opens the database that the configuration names. */
import { fileURLToPath } from 'node:url';
import type { Database, DatabaseOptions } from './database.ts';
import { openPglite } from './pglite.ts';
import { openPostgres } from './postgres.ts';

const migrationsFolder = fileURLToPath(new URL('./migrations', import.meta.url));

/** Opening never waits and never fails; `ready` tells. */
export function openDatabase(
  where: { url: string } | { folder: string },
  options: DatabaseOptions,
): Database {
  return 'url' in where
    ? openPostgres(where.url, migrationsFolder, options)
    : openPglite(where.folder, migrationsFolder, options);
}

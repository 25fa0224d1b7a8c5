/** Opens the database that the configuration names. */
import { join } from 'node:path';
import type { Database, DatabaseOptions } from './database.ts';
import { runMigrations } from './migrate.ts';
import { openPglite } from './pglite.ts';
import { openPostgres, type PostgresAddress } from './postgres.ts';

const migrationsFolder = join(import.meta.dirname, '..', 'migrations');

/** Opening never waits and never fails; `ready` tells. */
export function openDatabase(
  where: PostgresAddress | { folder: string },
  options: DatabaseOptions,
): Database {
  return 'url' in where
    ? openPostgres(where, migrationsFolder, options)
    : openPglite(where.folder, migrationsFolder, options);
}

/** Runs the migrations that are due on a Postgres, and gives its roles their rights. Answers with what was run. */
export function migrateDatabase(url: string): Promise<string[]> {
  return runMigrations(url, migrationsFolder);
}

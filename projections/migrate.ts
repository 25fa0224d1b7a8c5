/**
 * Migrations of Postgres: run once however many nodes start together, by whoever may. A node whose user may not – the tables
 * are another's, see `deploy/postgres-roles.sql` – waits until they have been run, and says so.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate } from 'drizzle-orm/postgres-js/migrator';
import type { Sql } from 'postgres';
import { z } from 'zod';
import { sqlState } from './database.ts';
import { pool } from './pool.ts';

/** Any number, the same in every process: migrations of nodes that start together take turns. */
const migrationLock = 7_246_113;

const journal = z.object({ entries: z.array(z.object({ tag: z.string(), when: z.number() })) });

/** The database is not as this program needs it, and whoever asked may not change that. */
export class MigrationsDue extends Error {
  override name = 'MigrationsDue';
  constructor(tags: readonly string[], options?: ErrorOptions) {
    super(
      `the database lacks the migrations ${tags.join(', ')}: run \`npx workshop migrate\` as the user who owns the tables (MIGRATE_DATABASE_URL)`,
      options,
    );
  }
}

/** Names of the migrations that the database has not seen, in order. */
export async function dueMigrations(sql: Sql, folder: string): Promise<string[]> {
  const { entries } = journal.parse(JSON.parse(readFileSync(join(folder, 'meta', '_journal.json'), 'utf8')));
  const last = await lastRun(sql);
  return entries.filter(({ when }) => when > last).map(({ tag }) => tag);
}

async function lastRun(sql: Sql): Promise<number> {
  try {
    const [row] = await sql`select max(created_at) as last from drizzle.__drizzle_migrations`;
    return Number(row?.last ?? 0);
  } catch (error) {
    // No such schema, no such table: nothing was ever run. That one may not look says the same to whoever may not run any.
    if (['3F000', '42P01', '42501'].includes(sqlState(error) ?? '')) return 0;
    throw error;
  }
}

/** Runs what is due, and gives the roles of `deploy/postgres-roles.sql` their rights. Answers with what was run. */
export async function runMigrations(url: string, folder: string): Promise<string[]> {
  const connections = pool({ url }, { max: 1 });
  try {
    return await connections.run((sql) => runOn(sql, folder));
  } finally {
    // The lock goes with the connection.
    await connections.close();
  }
}

async function runOn(sql: Sql, folder: string): Promise<string[]> {
  await sql`select pg_advisory_lock(${migrationLock})`;
  const due = await dueMigrations(sql, folder);
  try {
    if (due.length > 0) await migrate(drizzle(sql), { migrationsFolder: folder });
    const grants = join(folder, '..', 'grants.sql');
    if (existsSync(grants)) await sql.unsafe(readFileSync(grants, 'utf8'));
  } catch (error) {
    if (sqlState(error) === '42501') throw new MigrationsDue(due, { cause: error });
    throw error;
  }
  return due;
}

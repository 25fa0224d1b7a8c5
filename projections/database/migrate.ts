/**
 * Migrations of Postgres: run once however many nodes start together, by whoever may. A node whose user may not – the tables
 * are another's, see `deploy/postgres-roles.sql` – waits until they have been run, and says so.
 *
 * ```
 *   begin ──► our turn ──────────────► journal ──► what is due ──► rights ──► tables are there ──► commit
 *               │ another one migrates    (journal.ts)
 *               └──► asked again, up to a limit, then told who it is
 * ```
 * All of it is one transaction, run by ourselves: drizzle's migrator makes its journal outside of its own, and only what lives in a
 * transaction is safe behind a pooler, where the next transaction is on another connection and a lock of the session stays behind.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Sql } from 'postgres';
import { pause } from '../../src/timing/retry.ts';
import { sqlState } from './database.ts';
import { DatabaseUnfit, requireTables, requireUtf8 } from './fitness.ts';
import { dueOf, journalTable, type Migration, migrationsIn, note, openJournal } from './journal.ts';
import { pool } from './pool.ts';

/** Any number, the same in every process and version: migrations of nodes that start together take turns. */
const migrationLock = 7_246_113;

/** The database is not as this program needs it, and whoever asked may not change that. */
export class MigrationsDue extends DatabaseUnfit {
  override name = 'MigrationsDue';
  constructor(due: readonly Migration[], cause?: unknown) {
    const reason = cause instanceof Error ? ` (${cause.message})` : '';
    super(
      `the database lacks the migrations ${tagsOf(due).join(', ')}: run \`npx workshop migrate\` as the user who owns the tables (MIGRATE_DATABASE_URL)${reason}`,
      { cause },
    );
  }
}

/** Migrations that the database has not seen, in order. Rejects with a `DatabaseUnfit` where none could ever be run. */
export async function dueMigrations(sql: Sql, folder: string): Promise<Migration[]> {
  await requireUtf8((text) => sql.unsafe(text));
  return dueOf(sql, migrationsIn(folder));
}

export interface MigrateOptions {
  /** How long another process that migrates is waited for, and a table that somebody uses, in milliseconds each. */
  patienceMs?: number;
}

/** Runs what is due, and gives the roles of `deploy/postgres-roles.sql` their rights. Answers with the names of what was run. */
export async function runMigrations(
  url: string,
  folder: string,
  { patienceMs = 30_000 }: MigrateOptions = {},
): Promise<string[]> {
  // A migration may take as long as it takes, but does not wait for others for ever.
  const limits = { statementMs: 0, lockMs: patienceMs };
  const connections = pool({ url }, { max: 1, what: 'migrations', limits });
  try {
    return await connections.run(async (sql, { transaction }) => {
      await requireUtf8((text) => sql.unsafe(text));
      // Whatever the role or the database is set to: what another process did has to be seen once it is our turn.
      return transaction(() => runDue(sql, folder, patienceMs));
    });
  } finally {
    await connections.close();
  }
}

async function runDue(sql: Sql, folder: string, patienceMs: number): Promise<string[]> {
  await ourTurn(sql, patienceMs);
  const migrations = migrationsIn(folder);
  const due = await dueOf(sql, migrations);
  try {
    await openJournal(sql, migrations);
    for (const migration of due) await run(sql, migration, patienceMs);
    const grants = join(folder, '..', 'grants.sql');
    if (existsSync(grants)) await sql.unsafe(readFileSync(grants, 'utf8'));
  } catch (error) {
    if (sqlState(error) === '42501' && due.length > 0) throw new MigrationsDue(due, error);
    throw error;
  }
  await requireTables((text) => sql.unsafe(text), folder).catch(missing);
  return tagsOf(due);
}

async function run(sql: Sql, migration: Migration, patienceMs: number): Promise<void> {
  try {
    for (const statement of migration.statements) await sql.unsafe(statement);
  } catch (error) {
    if (sqlState(error) !== '55P03') throw error;
    throw new DatabaseUnfit(
      `migration ${migration.tag} waited ${patienceMs / 1_000} s for a table that another session uses: end that one (pg_stat_activity) and try again`,
      { cause: error },
    );
  }
  await note(sql, migration);
}

function missing(error: unknown): never {
  const reason = error instanceof Error ? error.message : String(error);
  throw new DatabaseUnfit(
    `${reason}, although ${journalTable} says that it was made: put it back from a backup, or look at the search_path and the rights of this user`,
    { cause: error },
  );
}

/** Between two looks. */
const turnMs = 100;

/** Resolves with the lock, which goes with the transaction. Asked for and not waited in, so that whoever has it can be named. */
async function ourTurn(sql: Sql, patienceMs: number): Promise<void> {
  const until = performance.now() + patienceMs;
  for (;;) {
    const [row] = await sql.unsafe(`select pg_try_advisory_xact_lock(${migrationLock}) as is_ours`);
    if (row?.is_ours === true) return;
    if (performance.now() > until) throw await waitedFor(sql, patienceMs);
    await pause(turnMs);
  }
}

async function waitedFor(sql: Sql, patienceMs: number): Promise<DatabaseUnfit> {
  const [holder] = await sql.unsafe(
    `select l.pid, to_char(a.backend_start at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as since
     from pg_locks l left join pg_stat_activity a on a.pid = l.pid
     where l.locktype = 'advisory' and l.granted and l.objsubid = 1 and l.classid = 0 and l.objid = ${migrationLock}
       and l.database = (select oid from pg_database where datname = current_database())`,
  );
  const who =
    holder === undefined ? 'it has gone by now' : `pid ${holder.pid}, connected since ${holder.since}`;
  return new DatabaseUnfit(
    `waited ${patienceMs / 1_000} s for another process that migrates the database (${who}): try again once it is done, or end it with pg_terminate_backend if nothing migrates there any more`,
  );
}

function tagsOf(migrations: readonly Migration[]): string[] {
  return migrations.map(({ tag }) => tag);
}

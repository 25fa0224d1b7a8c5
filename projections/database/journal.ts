/**
 * Which migrations a Postgres has seen: a journal of our own, of the form that drizzle gives its own. That one,
 * `drizzle.__drizzle_migrations`, is shared by every application in the database that uses drizzle, whose migrator (0.45) looks at its
 * newest entry alone and runs nothing that is older, whoever's that entry is.
 *
 * Programs of the version before kept theirs there. Their entries are known by their hashes and stay, since nodes of that version may
 * run beside this one.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import type { Sql } from 'postgres';
import { z } from 'zod';

/** Named in `drizzle.config.ts` too. */
export const journalTable = 'public.workshop_migrations';
const sharedJournal = 'drizzle.__drizzle_migrations';

export interface Migration {
  tag: string;
  /** When it was written, milliseconds since 1970: by this it is known in a journal of its own. */
  when: number;
  /** Of its text: by this it is known among those of others. */
  hash: string;
  statements: readonly string[];
}

const index = z.object({ entries: z.array(z.object({ tag: z.string() })) });

/** All that there are, in order. */
export function migrationsIn(folder: string): Migration[] {
  const { entries } = index.parse(JSON.parse(readFileSync(join(folder, 'meta', '_journal.json'), 'utf8')));
  return readMigrationFiles({ migrationsFolder: folder }).map(({ folderMillis, hash, sql }, at) => ({
    ...{ tag: entries[at]?.tag ?? '', when: folderMillis, hash, statements: sql },
  }));
}

/** Those that the database has not seen, in order. */
export async function dueOf(sql: Sql, migrations: readonly Migration[]): Promise<Migration[]> {
  const own = await entriesOf(sql, journalTable);
  const known = new Set(own.map(({ when }) => when));
  const due = migrations.filter(({ when }) => !known.has(when));
  return due.length === 0 ? due : without(due, await entriesOf(sql, sharedJournal));
}

/** Makes the journal where there is none, and takes over what an older version of the program noted in the shared one. */
export async function openJournal(sql: Sql, migrations: readonly Migration[]): Promise<void> {
  // `create table if not exists` asks for the right to create one also where it exists.
  const [found] = await sql.unsafe(`select to_regclass('${journalTable}') is not null as exists`);
  if (found?.exists === true) return;
  await sql.unsafe(
    `create table ${journalTable} (id serial primary key, hash text not null, created_at bigint unique)`,
  );
  const due = await dueOf(sql, migrations);
  for (const migration of migrations) if (!due.includes(migration)) await note(sql, migration);
}

export async function note(sql: Sql, { hash, when }: Migration): Promise<void> {
  await sql.unsafe(`insert into ${journalTable} (hash, created_at) values ('${hash}', ${when})`);
}

function without(migrations: readonly Migration[], entries: readonly Entry[]): Migration[] {
  const hashes = new Set(entries.map(({ hash }) => hash));
  return migrations.filter(({ hash }) => !hashes.has(hash));
}

interface Entry {
  hash: string;
  when: number;
}

/** Rejects where our own may not be read; what others keep from us is none of ours. */
async function entriesOf(sql: Sql, journal: typeof journalTable | typeof sharedJournal): Promise<Entry[]> {
  // Asked for before: within a transaction an error would end that.
  const [found] = await sql.unsafe(
    `select has_table_privilege(c.oid, 'select') and has_schema_privilege(n.oid, 'usage') as readable
     from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     where n.nspname || '.' || c.relname = '${journal}'`,
  );
  if (found === undefined || (journal === sharedJournal && found.readable !== true)) return [];
  const rows = await sql.unsafe(`select hash, created_at from ${journal}`);
  return rows.map((row) => ({ hash: String(row.hash), when: Number(row.created_at) }));
}

/** Migrations beside other applications, other versions and poolers, and what a database lacks that cannot be migrated. */
import { randomUUID } from 'node:crypto';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate } from 'drizzle-orm/postgres-js/migrator';
import postgres from 'postgres';
import { describe, expect, inject, it } from 'vitest';
import type { Database } from '../../../projections/database/database.ts';
import { runMigrations } from '../../../projections/database/migrate.ts';
import { migrateDatabase, openDatabase } from '../../../projections/database/open.ts';
import { runCommand } from '../../kit/commandLine.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { startPgbouncer } from '../../kit/pgbouncer.ts';
import { migratedPostgres, sharedPostgres } from '../../kit/shared.ts';
import { until } from '../../kit/until.ts';

const folder = 'projections/migrations';
const all: string[] = indexOf(folder).entries.map(({ tag }) => tag);
/** Of the version before the journal was our own: it knew these. */
const before = all.slice(0, 6);

interface Index {
  entries: { tag: string; when: number }[];
}

function indexOf(path: string): Index {
  return JSON.parse(readFileSync(join(path, 'meta', '_journal.json'), 'utf8'));
}

/** A folder with the first so many migrations. */
function earlier(count: number) {
  const copy = temporaryFolder('migrations');
  cpSync(folder, copy.path, { recursive: true });
  const index = indexOf(copy.path);
  index.entries = index.entries.slice(0, count);
  writeFileSync(join(copy.path, 'meta', '_journal.json'), JSON.stringify(index));
  return copy;
}

async function asOf<T>(url: string, work: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    return await work(sql);
  } finally {
    await sql.end();
  }
}

/** As programs did before the journal was our own, and as any application with drizzle does. */
async function migrateAsBefore(url: string, count: number): Promise<void> {
  const copy = earlier(count);
  try {
    await asOf(url, (sql) => migrate(drizzle(sql), { migrationsFolder: copy.path }));
  } finally {
    await copy.close();
  }
}

const journal = (url: string) =>
  asOf(url, async (sql) => (await sql`select hash from workshop_migrations order by created_at`).length);

/** Another application's newest migration, much newer than any of ours. */
const migrateAnother = (url: string) =>
  asOf(url, async (sql) => {
    await sql`create schema if not exists drizzle`;
    await sql`create table if not exists drizzle.__drizzle_migrations (id serial primary key, hash text not null, created_at bigint)`;
    await sql`insert into drizzle.__drizzle_migrations (hash, created_at) values ('of another', 4000000000000)`;
  });

const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => 'nothing failed',
    (error: Error) => error.message,
  );

/** Why a database that was opened can't be used; as soon as that is known. */
async function unfitness(database: Database): Promise<string> {
  let why = '';
  const look = async () => {
    why = await failureOf(database.check());
    return why !== 'nothing failed';
  };
  await until(look, { what: 'a reason' });
  return why;
}

const opened = (url: string) => openDatabase({ url }, { onError: () => undefined });

describe('the journal', () => {
  it('[B1] is our own: another application with drizzle and a newer migration keeps ours from nothing', async () => {
    const url = await sharedPostgres();
    await migrateAnother(url);
    const database = opened(url);
    await database.ready;
    await database.check();
    await database.close();
    expect(await journal(url)).toBe(all.length);
    expect(await migrateDatabase(url)).toEqual([]);
    const others = await asOf(url, (sql) => sql`select hash from drizzle.__drizzle_migrations`);
    expect(others.map(({ hash }) => hash)).toEqual(['of another']);
  });

  it('[B1] takes over what the version before noted in the shared one; nothing is lost or run again', async () => {
    const url = await sharedPostgres();
    await migrateAsBefore(url, before.length);
    await asOf(
      url,
      (sql) => sql`insert into projection_parked values (5, 'rooms', 0, 1, 'kept', 1, now(), false)`,
    );
    await migrateAnother(url);
    expect(await migrateDatabase(url)).toEqual(all.slice(before.length));
    expect(await migrateDatabase(url)).toEqual([]);
    expect(await journal(url)).toBe(all.length);
    expect(await asOf(url, (sql) => sql`select reason from projection_parked`)).toMatchObject([
      { reason: 'kept' },
    ]);
  });

  it('[B1] runs what another application kept the version before from running', async () => {
    const url = await sharedPostgres();
    await migrateAsBefore(url, 3);
    await migrateAnother(url);
    // Believes that all is well.
    await migrateAsBefore(url, before.length);
    const database = opened(url);
    await database.ready;
    await database.check();
    await database.close();
    expect(await journal(url)).toBe(all.length);
  });

  it('[B1] leaves the version before what it needs: its nodes find nothing to do beside new ones', async () => {
    const url = await sharedPostgres();
    await migrateAsBefore(url, before.length);
    await migrateDatabase(url);
    await migrateAsBefore(url, before.length);
    const shared = await asOf(
      url,
      (sql) => sql`select count(*)::int as count from drizzle.__drizzle_migrations`,
    );
    expect(shared).toMatchObject([{ count: before.length }]);
    expect(await journal(url)).toBe(all.length);
  });

  it('[B1] is all or nothing: what fails in the middle leaves nothing behind', async () => {
    const url = await sharedPostgres();
    await asOf(url, (sql) => sql`create table workshop_snapshots (of text)`);
    expect(await failureOf(migrateDatabase(url))).toBe('relation "workshop_snapshots" already exists');
    const tables = await asOf(
      url,
      (sql) => sql`select table_name from information_schema.tables where table_schema = 'public'`,
    );
    expect(tables).toMatchObject([{ table_name: 'workshop_snapshots' }]);
    const { code, all: said } = await runCommand({ DATABASE_URL: url }, 'migrate');
    expect([code, said]).toEqual([1, 'workshop: relation "workshop_snapshots" already exists\n']);
  });
});

describe('a database that cannot be used says why, and is used once that is mended', () => {
  it.each(['SQL_ASCII', 'LATIN1'])('[B2] one whose encoding is %s', async (encoding) => {
    const url = new URL(inject('postgresUrl'));
    const name = `test_${randomUUID().replaceAll('-', '')}`;
    await asOf(url.href, (sql) =>
      sql.unsafe(`create database ${name} encoding '${encoding}' template template0`),
    );
    url.pathname = name;
    const database = opened(url.href);
    expect(await unfitness(database)).toContain(
      `the encoding of the database is ${encoding}, and it has to be UTF8`,
    );
    await database.close();
    const { code, all: said } = await runCommand({ DATABASE_URL: url.href }, 'migrate');
    expect(code).toBe(1);
    expect(said).toMatch(new RegExp(`^workshop: the encoding of the database is ${encoding}, .*\n$`));
    const tables = await asOf(url.href, (sql) => sql`select to_regclass('workshops') as found`);
    expect(tables).toMatchObject([{ found: null }]);
  });

  it('[B2] one that lost a table', async () => {
    const url = await migratedPostgres();
    const database = opened(url);
    await database.ready;
    await database.check();
    await asOf(url, (sql) => sql`alter table workshop_chat_messages rename to elsewhere`);
    expect(await unfitness(database)).toBe('relation "workshop_chat_messages" does not exist');
    expect(await failureOf(migrateDatabase(url))).toMatch(
      /^relation "workshop_chat_messages" does not exist, although public\.workshop_migrations says that it was made/,
    );
    await asOf(url, (sql) => sql`alter table elsewhere rename to workshop_chat_messages`);
    await asOf(url, (sql) => sql`alter table workshops rename title to name`);
    expect(await unfitness(database)).toBe('column "title" does not exist');
    await asOf(url, (sql) => sql`alter table workshops rename name to title`);
    await database.check();
    await database.close();
  });

  it('[B2] one whose user may not create tables', async () => {
    const owner = await sharedPostgres();
    const role = `maker_${randomUUID().slice(0, 8)}`;
    const url = new URL(owner);
    url.username = role;
    await asOf(owner, (sql) =>
      sql.unsafe(`create role ${role} login; revoke create on schema public from public`),
    );
    const database = opened(url.href);
    expect(await unfitness(database)).toMatch(
      /^the database lacks the migrations 0000_tables, .*npx workshop migrate.* \(permission denied for schema public\)$/,
    );
    const { code, all: said } = await runCommand({ DATABASE_URL: url.href }, 'migrate');
    expect(code).toBe(1);
    expect(said).toMatch(/^workshop: .*permission denied for schema public.*\n$/);
    await asOf(owner, (sql) => sql.unsafe(`grant create on schema public to ${role}`));
    await database.ready;
    await database.check();
    await database.close();
    // One that may create no schemas needs none.
    expect(await journal(url.href)).toBe(all.length);
  });
});

describe('a database that cannot be used says why, where somebody else made it', () => {
  it('[B2] one whose tables and journal its user may not read', async () => {
    const owner = await migratedPostgres();
    const role = `reader_${randomUUID().slice(0, 8)}`;
    const url = new URL(owner);
    url.username = role;
    await asOf(owner, (sql) => sql.unsafe(`create role ${role} login`));
    const database = opened(url.href);
    expect(await unfitness(database)).toBe('permission denied for table workshop_migrations');
    await asOf(owner, (sql) => sql.unsafe(`grant select on workshop_migrations to ${role}`));
    await database.ready;
    expect(await unfitness(database)).toMatch(/^permission denied for table \w+$/);
    await asOf(owner, (sql) => sql.unsafe(`grant select on all tables in schema public to ${role}`));
    await database.check();
    await database.close();
  });
});

describe('a migration waits for others as long as it says, and says for whom', () => {
  it('[B3] another process that migrates', async () => {
    const url = await sharedPostgres();
    await asOf(url, async (other) => {
      const [mine] = await other`select pg_backend_pid() as pid, pg_advisory_lock(7246113)`;
      expect(await failureOf(runMigrations(url, folder, { patienceMs: 300 }))).toMatch(
        new RegExp(
          `^waited 0\\.3 s for another process that migrates the database \\(pid ${mine?.pid}, connected since 2.*Z\\)`,
        ),
      );
      const waiting = runMigrations(url, folder);
      await other`select pg_advisory_unlock_all()`;
      expect(await waiting).toEqual(all);
    });
  });

  it('[B3] a table that somebody uses', async () => {
    const url = await sharedPostgres();
    await migrateAsBefore(url, 1);
    await asOf(url, async (other) => {
      await other.begin(async (transaction) => {
        await transaction`lock table projection_checkpoints`;
        expect(await failureOf(runMigrations(url, folder, { patienceMs: 300 }))).toMatch(
          /^migration 0001_skipped waited 0\.3 s for a table that another session uses/,
        );
      });
    });
    expect(await runMigrations(url, folder)).toEqual(all.slice(1));
  });
});

describe('behind pgbouncer in transaction mode', () => {
  it('[B4] migrating leaves nothing behind on the connection, whoever has it next', async () => {
    const url = await sharedPostgres();
    const pooler = await startPgbouncer(inject('postgresUrl'), { poolSize: 1 });
    const through = pooler.through(url);
    expect(await migrateDatabase(through)).toEqual(all);
    const locks = () =>
      asOf(
        url,
        (sql) =>
          sql`select pid from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())`,
      );
    expect(await locks()).toEqual([]);
    // Others have the pooler's connection meanwhile, and the next migration another one.
    expect(
      await Promise.all([migrateDatabase(through), migrateDatabase(through), migrateDatabase(url)]),
    ).toEqual([[], [], []]);
    await pooler.close();
  });
});

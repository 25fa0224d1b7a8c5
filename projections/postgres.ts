/** Postgres behind the interface of the database, through postgres.js. */
import { drizzle } from 'drizzle-orm/pg-proxy';
import type { PostgresType } from 'postgres';
import { parseInstant } from './columns.ts';
import { copyRows } from './copy.ts';
import type { Database, DatabaseOptions, Drizzle } from './database.ts';
import { dueMigrations, MigrationsDue, runMigrations } from './migrate.ts';
import { pool } from './pool.ts';
import { retrying } from './retry.ts';

export interface PostgresAddress {
  url: string;
  /** Of the user who runs migrations, where that is another one. */
  migrateUrl?: string | undefined;
  /** `never`: where migrations are due, opening fails instead of running them. */
  migrating?: 'ifDue' | 'never';
}

/** Numbers of types in Postgres' catalogue. */
const [int8, json, jsonb, timestamptz] = [20, 114, 3_802, 1_184];

/** As the program has values. */
const parsed: Record<string, PostgresType> = {
  whole: { to: int8, from: [int8], serialize: String, parse: Number },
  date: { to: timestamptz, from: [timestamptz], serialize: String, parse: parseInstant },
};

/** As drizzle wants values, which parses and serializes by its columns. */
const forDrizzle: Record<string, PostgresType> = {
  date: { to: timestamptz, from: [timestamptz], serialize: String, parse: String },
  json: { to: jsonb, from: [json, jsonb], serialize: String, parse: JSON.parse },
};

/** Reaches Postgres when first used: opening it does not fail where Postgres is away. */
export function openPostgres(
  { url, migrateUrl = url, migrating = 'ifDue' }: PostgresAddress,
  migrationsFolder: string,
  { onError }: DatabaseOptions,
): Database {
  const statements = pool({ url, types: parsed }, { max: 4 });
  const reads = pool({ url, types: forDrizzle }, { max: 8 });
  // Of their own, so that no statement waits for a COPY.
  const copies = pool({ url, types: parsed }, { max: 1 });
  const closing = new AbortController();

  async function migrate(): Promise<void> {
    const due = await reads.run((sql) => dueMigrations(sql, migrationsFolder));
    if (due.length === 0) return;
    if (migrating === 'never') throw new MigrationsDue(due);
    await runMigrations(migrateUrl, migrationsFolder);
  }

  const ready = retrying(migrate, { signal: closing.signal, onError });
  // Whoever closes before that has no use for the answer.
  ready.catch(() => undefined);
  return {
    kind: 'postgres',
    ready,
    // Postgres itself finds out the types of the parameters; every one is cast in the statement.
    query: (text, parameters) =>
      statements.run((sql) => sql.unsafe(text, [...parameters], { prepare: true })),
    copy: (copy) => copies.run((sql) => copyRows(sql, copy)),
    // Its drivers differ in what `execute` returns, which is not used.
    drizzle: drizzle(async (text, parameters) => {
      const rows = await reads.run((sql) => sql.unsafe(text, parameters).values());
      return { rows };
    }) as unknown as Drizzle,
    async close() {
      closing.abort();
      await ready.catch(() => undefined);
      await Promise.all([statements, reads, copies].map((each) => each.close()));
    },
  };
}

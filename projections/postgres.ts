/** Postgres behind the interface of the database, through postgres.js. */
import { drizzle } from 'drizzle-orm/postgres-js';
import postgres from 'postgres';
import { parseInstant } from './columns.ts';
import { copying } from './copy.ts';
import type { Database, DatabaseOptions, Drizzle } from './database.ts';
import { dueMigrations, MigrationsDue, runMigrations } from './migrate.ts';
import { retrying } from './retry.ts';

const int8 = 20;
const timestamptz = 1184;

export interface PostgresAddress {
  url: string;
  /** Of the user who runs migrations, where that is another one. */
  migrateUrl?: string | undefined;
  /** `never`: where migrations are due, opening fails instead of running them. */
  migrating?: 'ifDue' | 'never';
}

export const connectionOptions = {
  // Times are read back as text, whatever zone the server is set to.
  connection: { TimeZone: 'UTC', application_name: 'workshop' },
  onnotice: () => undefined,
  fetch_types: false,
  connect_timeout: 5,
  backoff: (retries: number) => Math.min(2, 0.05 * 2 ** retries),
};

/** Reaches Postgres when first used: opening it does not fail where Postgres is away. */
export function openPostgres(
  { url, migrateUrl = url, migrating = 'ifDue' }: PostgresAddress,
  migrationsFolder: string,
  { onError }: DatabaseOptions,
): Database {
  const options = connectionOptions;
  // One statement at a time on a connection: with several under way a killed backend fails them all.
  const raw = postgres(url, {
    ...options,
    max: 4,
    max_pipeline: 1,
    types: {
      whole: { to: int8, from: [int8], serialize: String, parse: Number },
      instant: { to: timestamptz, from: [timestamptz], serialize: String, parse: parseInstant },
    },
  } as postgres.Options<Record<string, postgres.PostgresType>>); // `max_pipeline` is missing in the driver's types
  const reads = postgres(url, { ...options, max: 8 });
  const rows = copying((more) => postgres(url, { ...options, ...more, max: 1, idle_timeout: 10 }));
  const closing = new AbortController();

  async function migrate(): Promise<void> {
    const due = await dueMigrations(reads, migrationsFolder);
    if (due.length === 0) return;
    if (migrating === 'never') throw new MigrationsDue(due);
    await runMigrations({ url: migrateUrl, folder: migrationsFolder, connection: options });
  }

  const ready = retrying(migrate, { signal: closing.signal, onError });
  // Whoever closes before that has no use for the answer.
  ready.catch(() => undefined);
  return {
    kind: 'postgres',
    ready,
    // Postgres itself finds out the types of the parameters; every one is cast in the statement.
    query: (text, parameters) => raw.unsafe(text, [...parameters], { prepare: true }),
    copy: rows.copy,
    drizzle: drizzle(reads) as unknown as Drizzle, // differs in what `execute` returns, which is not used
    async close() {
      closing.abort();
      await ready.catch(() => undefined);
      await Promise.all([raw.end({ timeout: 5 }), reads.end({ timeout: 5 }), rows.close()]);
    },
  };
}

/** Postgres behind the interface of the database, through postgres.js. */
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate as migrateWith } from 'drizzle-orm/postgres-js/migrator';
import postgres from 'postgres';
import { parseInstant } from './columns.ts';
import type { Database, DatabaseOptions, Drizzle } from './database.ts';
import { retrying } from './retry.ts';

/** Any number, the same in every process: migrations of nodes that start together take turns. */
const migrationLock = 7_246_113;

const int8 = 20;
const timestamptz = 1184;

/** Reaches Postgres when first used: opening it does not fail where Postgres is away. */
export function openPostgres(url: string, migrationsFolder: string, { onError }: DatabaseOptions): Database {
  const options = {
    // Times are read back as text, whatever zone the server is set to.
    connection: { TimeZone: 'UTC', application_name: 'workshop' },
    onnotice: () => undefined,
    fetch_types: false,
    connect_timeout: 5,
    backoff: (retries: number) => Math.min(2, 0.05 * 2 ** retries),
  };
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
  const closing = new AbortController();

  async function migrate(): Promise<void> {
    const client = postgres(url, { ...options, max: 1 });
    try {
      await client`select pg_advisory_lock(${migrationLock})`;
      await migrateWith(drizzle(client), { migrationsFolder });
    } finally {
      // The lock goes with the connection.
      await client.end({ timeout: 1 });
    }
  }

  const ready = retrying(migrate, { signal: closing.signal, onError });
  // Whoever closes before that has no use for the answer.
  ready.catch(() => undefined);
  return {
    kind: 'postgres',
    ready,
    // Postgres itself finds out the types of the parameters; every one is cast in the statement.
    query: (text, parameters) => raw.unsafe(text, [...parameters], { prepare: true }),
    drizzle: drizzle(reads) as unknown as Drizzle, // differs in what `execute` returns, which is not used
    async close() {
      closing.abort();
      await ready.catch(() => undefined);
      await Promise.all([raw.end({ timeout: 5 }), reads.end({ timeout: 5 })]);
    },
  };
}

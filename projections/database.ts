/**
 * The database of the read models: Postgres, or PGlite in embedded mode, behind one small interface.
 * PGlite holds nothing that the log does not, so a folder that does not open or migrate is thrown away and made anew.
 */
import { mkdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PGlite } from '@electric-sql/pglite';
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core';
import { drizzle as drizzlePglite } from 'drizzle-orm/pglite';
import { migrate as migratePglite } from 'drizzle-orm/pglite/migrator';
import { drizzle as drizzlePostgres } from 'drizzle-orm/postgres-js';
import { migrate as migratePostgres } from 'drizzle-orm/postgres-js/migrator';
import postgres from 'postgres';
import { parseInstant } from './columns.ts';
import { retrying } from './retry.ts';

export type Parameter = string | number | null;
/** Of `query`: bigints are numbers, instants milliseconds since 1970, jsonb is parsed. */
export type Row = Record<string, unknown>;
export type Drizzle = PgDatabase<PgQueryResultHKT>;

export interface Database {
  readonly kind: 'postgres' | 'pglite';
  /** Resolves once the tables are as this program needs them. Until then a Postgres that is away is tried again. */
  readonly ready: Promise<void>;
  /** One statement, prepared, on a connection of its own. Rejects with the driver's error; see `isRefusal`. */
  query(text: string, parameters: readonly Parameter[]): Promise<Row[]>;
  /** For reads. Its drivers parse nothing that drizzle wants to parse itself, so `query` can't share them. */
  readonly drizzle: Drizzle;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  onError(error: unknown): void;
}

export function openDatabase(
  where: { url: string } | { folder: string },
  options: DatabaseOptions,
): Promise<Database> {
  return 'url' in where
    ? Promise.resolve(openPostgres(where.url, options))
    : openPglite(where.folder, options);
}

const migrationsFolder = fileURLToPath(new URL('./migrations', import.meta.url));
/** Any number, the same in every process: migrations of nodes that start together take turns. */
const migrationLock = 7_246_113;

const int8 = 20;
const timestamptz = 1184;

/** Reaches Postgres when first used: opening it does not fail where Postgres is away. */
export function openPostgres(url: string, { onError }: DatabaseOptions): Database {
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
      await migratePostgres(drizzlePostgres(client), { migrationsFolder });
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
    drizzle: drizzlePostgres(reads) as unknown as Drizzle, // differs in what `execute` returns, which is not used
    async close() {
      closing.abort();
      await ready.catch(() => undefined);
      await Promise.all([raw.end({ timeout: 5 }), reads.end({ timeout: 5 })]);
    },
  };
}

async function openPglite(folder: string, { onError }: DatabaseOptions): Promise<Database> {
  let client: PGlite;
  try {
    client = await pglite(folder);
  } catch (error) {
    onError(new Error('the projections in the data folder are damaged; they are rebuilt', { cause: error }));
    await rm(folder, { recursive: true, force: true });
    client = await pglite(folder);
  }
  const opened = client;
  return {
    kind: 'pglite',
    ready: Promise.resolve(),
    query: async (text, parameters) => (await opened.query<Row>(text, [...parameters])).rows,
    drizzle: drizzlePglite(opened) as unknown as Drizzle, // as above
    close: () => opened.close(),
  };
}

async function pglite(folder: string): Promise<PGlite> {
  await mkdir(dirname(folder), { recursive: true });
  const client = await PGlite.create({
    dataDir: folder,
    parsers: { [int8]: Number, [timestamptz]: parseInstant },
  });
  try {
    await migratePglite(drizzlePglite(client), { migrationsFolder });
    // One process has the folder: whoever held a lease before is gone.
    await client.query('update projection_checkpoints set owner = null, lease_until = null');
    return client;
  } catch (error) {
    await client.close().catch(() => undefined);
    throw error;
  }
}

/** The five characters by which Postgres names what went wrong; undefined where it was not Postgres that spoke. */
export function sqlState(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    if ('code' in at && typeof at.code === 'string' && /^[0-9A-Z]{5}$/.test(at.code)) return at.code;
  }
  return undefined;
}

/** Refused before it was sent. */
export class RefusedError extends Error {
  override name = 'RefusedError';
}

// Data exception, integrity constraint, program limit, raised by a trigger.
const refusals = /^(22|23|54|P0)/;

/**
 * Whether Postgres refused a statement for what is in it, so that it will refuse it again. Everything else – a connection
 * that broke, a server that shuts down, a full disk, a missing table – may pass, and is tried again.
 */
export function isRefusal(error: unknown): boolean {
  return error instanceof RefusedError || refusals.test(sqlState(error) ?? '');
}

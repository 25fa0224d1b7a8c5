/**
 * The database of the read models: Postgres, or PGlite in embedded mode, behind one small interface (`open.ts` opens one).
 */
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core';
import { drizzle } from 'drizzle-orm/pg-proxy';

export type Parameter = string | number | null;
/** Of `query`: bigints are numbers, instants milliseconds since 1970, jsonb is parsed. */
export type Row = Record<string, unknown>;
export type Drizzle = PgDatabase<PgQueryResultHKT>;

export interface Database {
  readonly kind: 'postgres' | 'pglite';
  /** Resolves once the tables are as this program needs them. Until then a Postgres that is away is tried again. */
  readonly ready: Promise<void>;
  /** Rejects where it can't be used right now, with the reason: it is away, or not as the program needs it. */
  check(): Promise<void>;
  /** One statement, prepared, on a connection of its own. Rejects with the driver's error; see `isRefusal`. */
  query(text: string, parameters: readonly Parameter[]): Promise<Row[]>;
  /** As `query`, on connections that those who fold and commit do not wait for: for long reads, such as exports. */
  read(text: string, parameters: readonly Parameter[]): Promise<Row[]>;
  /**
   * Appends many rows, and answers with what `check` says. The driver does not tell of every COPY that failed, so look there;
   * where it rejects the rows may be there all the same.
   */
  copy(copy: Copy): Promise<Row[]>;
  /** One statement for drizzle: rows are arrays, and nothing is parsed that it wants to parse itself. */
  values(text: string, parameters: unknown[]): Promise<unknown[]>;
  /** For lists, on `values`. */
  readonly drizzle: Drizzle;
  close(): Promise<void>;
}

/** Rows for COPY. */
export interface Copy {
  /** Table and columns, as COPY wants them. */
  into: string;
  /** Rows as `copyLines` of `encoding.ts` writes them. */
  lines: string;
  /** Asks afterwards, on the same connection, what is there. */
  check: string;
  parameters: readonly Parameter[];
}

export function drizzleOn(values: Database['values']): Drizzle {
  const database = drizzle(async (text, parameters) => ({ rows: await values(text, parameters) }));
  // Its drivers differ in what `execute` returns, which is not used.
  return database as unknown as Drizzle;
}

export interface DatabaseOptions {
  onError(error: unknown): void;
  /** Of PGlite, whenever it was opened or made again: before anybody else asks it anything. It is opened again where this rejects. */
  onOpened?(query: Database['query']): Promise<void>;
}

/** The five characters by which Postgres names what went wrong; undefined where it was not Postgres that spoke. */
export function sqlState(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    if ('code' in at && typeof at.code === 'string' && /^(?=.*\d)[0-9A-Z]{5}$/.test(at.code)) return at.code;
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

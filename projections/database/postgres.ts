/** Postgres behind the interface of the database, through postgres.js. */
import type { Writable } from 'node:stream';
import type { ParameterOrJSON, PostgresType, Sql } from 'postgres';
import { retrying } from '../../src/timing/retry.ts';
import { parseInstant } from './columns.ts';
import type { Session } from './connection.ts';
import {
  type Copy,
  type Database,
  type DatabaseOptions,
  drizzleOn,
  type Parameter,
  type Row,
} from './database.ts';
import { requireTables } from './fitness.ts';
import { dueMigrations, MigrationsDue, runMigrations } from './migrate.ts';
import { pool } from './pool.ts';
import { serverAt } from './server.ts';
import { requireWrites } from './session.ts';

export interface PostgresAddress {
  url: string;
  /** Of the user who runs migrations, where that is another one. */
  migrateUrl?: string | undefined;
  /** `never`: where migrations are due, opening fails instead of running them. */
  migrating?: 'ifDue' | 'never';
  /** Nothing is written: a standby does. */
  isRead?: boolean;
  /** See `Patience` of `connection.ts`. */
  lookMs?: number;
}

/** How long statements may take: a list that somebody waits for, and what folds, compares or exports whole tables. */
const seconds = { statementMs: 30_000, lockMs: 30_000 };
const minutes = { statementMs: 600_000, lockMs: 30_000 };

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
  { url, migrateUrl = url, migrating = 'ifDue', isRead = false, lookMs = 4_000 }: PostgresAddress,
  migrationsFolder: string,
  { onError }: DatabaseOptions,
): Database {
  const server = serverAt(url, !isRead);
  const connections = (what: string, max: number, limits = minutes, types = parsed) =>
    pool({ url, server, types }, { what, max, limits, lookMs });
  const statements = connections('a statement of the projections', 4);
  const lists = connections('a list', 4, seconds, forDrizzle);
  const reads = connections('a page of a long read', 4);
  // Of their own, so that no statement waits for a COPY.
  const copies = connections('rows of a rebuild', 1);
  const asked = (text: string, parameters: readonly Parameter[]) => (sql: Sql, session: Session) =>
    session.single(() => sql.unsafe(text, [...parameters], { prepare: true }));
  const closing = new AbortController();

  async function migrate(): Promise<void> {
    const due = await lists.run((sql, { single }) => single(() => dueMigrations(sql, migrationsFolder)));
    if (due.length === 0) return;
    if (migrating === 'never') throw new MigrationsDue(due);
    await runMigrations(migrateUrl, migrationsFolder);
  }

  const values: Database['values'] = (text, parameters) =>
    lists.run((sql, { single }) =>
      single(() => sql.unsafe(text, parameters as ParameterOrJSON<never>[]).values()),
    );

  /** The last try to make it fit. */
  let migrated: Promise<void>;
  const attempt = () => {
    migrated = migrate();
    return migrated;
  };
  const ready = retrying(attempt, { signal: closing.signal, onError });
  // Whoever closes before that has no use for the answer.
  ready.catch(() => undefined);
  return {
    kind: 'postgres',
    ready,
    async check() {
      await migrated;
      await lists.run((sql, { single }) =>
        single(async () => {
          await requireWrites(sql);
          await requireTables((text) => sql.unsafe(text, [], { prepare: true }), migrationsFolder);
        }),
      );
    },
    // Postgres itself finds out the types of the parameters; every one is cast in the statement.
    query: (text, parameters) => statements.run(asked(text, parameters)),
    read: (text, parameters) => reads.run(asked(text, parameters)),
    copy: (copy) => copies.run((sql, session) => copyRows(sql, session, copy)),
    values,
    drizzle: drizzleOn(values),
    async close() {
      closing.abort();
      await ready.catch(() => undefined);
      await Promise.all([statements, lists, reads, copies].map((each) => each.close()));
    },
  };
}

/** Bytes to a message: one that is sent within two looks of `watch.ts` shows that the connection leads somewhere. */
const partSize = 64 * 1_024;

/**
 * COPY: twice the rows a second of `unnest`, where 20,000 and more go at once. Answers with what `check` says. Rejects where the
 * connection breaks, with the rows there or not.
 *
 * postgres.js 3.4.9 tells of a COPY that fails while rows are still being sent; of one that fails at its very end it tells
 * nothing, and the stream never finishes. So the next statement on the connection asks what came of it. It is sent once Postgres is
 * ready for it (`max_pipeline` of the connection): sent at once it would be answered by Postgres itself, but not by a pooler, which
 * gives the connection away when the COPY ends.
 */
async function copyRows(
  sql: Sql,
  { single }: Session,
  { into, lines, check, parameters }: Copy,
): Promise<Row[]> {
  // Apart from the question: one that failed leaves a transaction in which nothing can be asked.
  await single(() => sendRows(sql, into, lines));
  return single(() => sql.unsafe(check, [...parameters]));
}

async function sendRows(sql: Sql, into: string, lines: string): Promise<void> {
  const stream = await sql.unsafe(`copy ${into} from stdin`).writable();
  // It may fail at any time, and is asked about then.
  stream.on('error', () => undefined);
  const bytes = Buffer.from(lines);
  for (let at = 0; at < bytes.length; at += partSize) await sent(stream, bytes.subarray(at, at + partSize));
  // The end goes out at once, and so before the question.
  stream.end();
}

/** Rejects where the connection breaks, or Postgres has refused what was sent so far. */
function sent(stream: Writable, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.once('error', reject);
    stream.write(bytes, (error) => {
      stream.off('error', reject);
      if (error) reject(error);
      else resolve();
    });
  });
}

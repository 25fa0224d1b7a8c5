/**
 * How a session with Postgres is set, whatever its role, its database or its server were set to (`alter role … set`): by us, with all
 * that the program relies on.
 *
 *   directly           once, when the connection is made
 *   behind a pooler    at the beginning of each transaction, and for it alone: the next one is on another connection, and who comes
 *                      after us on this one must not find our settings
 *
 * What a pooler must know itself, since it hands connections out by it, goes with the start of the connection (`startup`).
 */
import type { Row, Sql } from 'postgres';
import type { ServerAddress } from './address.ts';
import { sqlState } from './database.ts';

/** How long Postgres works on a statement of ours, and waits for a lock within it, before it ends it by itself; in milliseconds. */
export interface Limits {
  /** 0: as long as it takes. */
  statementMs: number;
  lockMs: number;
}

/** Every pooler takes these. Times are read back as text, whatever zone the server is set to. */
export function startup({ applicationName, tenant }: ServerAddress): Record<string, string> {
  return {
    application_name: applicationName,
    DateStyle: 'ISO, MDY',
    TimeZone: 'UTC',
    standard_conforming_strings: 'on',
    ...(tenant !== undefined && { options: tenant }),
  };
}

/** A transaction of ours never waits for us: what is idle in one lost its program. */
const idleInTransactionMs = 60_000;

function settings({ statementMs, lockMs }: Limits): Record<string, string> {
  return {
    // The tables are in `public`, whatever schema others look into first.
    search_path: 'public',
    statement_timeout: String(statementMs),
    lock_timeout: String(lockMs),
    idle_in_transaction_session_timeout: String(idleInTransactionMs),
    // As values are written and read.
    DateStyle: 'ISO, MDY',
    IntervalStyle: 'postgres',
    TimeZone: 'UTC',
    bytea_output: 'hex',
    extra_float_digits: '1',
    array_nulls: 'on',
    standard_conforming_strings: 'on',
    row_security: 'on',
  };
}

/** Of a connection that is ours alone. Some are not known to every version. */
function sessionSettings(limits: Limits): Record<string, string> {
  return {
    ...settings(limits),
    default_transaction_isolation: 'read committed',
    default_transaction_read_only: 'off',
    default_transaction_deferrable: 'off',
    idle_session_timeout: '0',
    transaction_timeout: '0',
    // A node whose machine is gone must not keep what a COPY of it has locked: the server finds out after a minute and a half.
    tcp_keepalives_idle: '60',
    tcp_keepalives_interval: '10',
    tcp_keepalives_count: '3',
    tcp_user_timeout: '90000',
  };
}

// What was committed is on the disk: the log lets go of a workshop for that. Who wants more than that keeps it.
const onDisk = (isLocal: boolean) =>
  `case when pg_catalog.current_setting('synchronous_commit') = 'off'
   then pg_catalog.set_config('synchronous_commit', 'local', ${isLocal}) end`;

/** What Postgres itself knows one of our transactions by, or a connection that is ours alone. */
export interface Backend {
  pid: number;
  /** When the transaction, or the connection, began: another one may have the pid later. */
  since: string;
  of: 'xact_start' | 'backend_start';
}

/** Begins a transaction with our settings: for who has more than one statement, or is behind a pooler. */
export async function begin(sql: Sql, limits: Limits, mustWrite: boolean): Promise<Backend> {
  const local = Object.entries(settings(limits)).map(
    ([name, value]) => `pg_catalog.set_config('${name}', '${value}', true)`,
  );
  const results = await sql.unsafe(
    `begin isolation level read committed ${mustWrite ? 'read write' : ''};
     select ${local.join(', ')}, ${onDisk(true)},
       pg_catalog.pg_backend_pid() as pid, extract(epoch from pg_catalog.now())::text as since`,
  );
  const [, rows = []] = results as unknown as Row[][];
  return { pid: Number(rows[0]?.pid), since: String(rows[0]?.since), of: 'xact_start' };
}

/** Of `begin`: a standby can't do what it says. */
export const isStandbysRefusal = (error: unknown): boolean => sqlState(error) === '0A000';

export interface Greeting {
  /** Somebody is in between who gives each transaction another connection, as far as we can know. */
  isPooled: boolean;
  isStandby: boolean;
  /** Of the connection, where it is ours alone. */
  backend: Backend | undefined;
}

/** What is asked first on a connection: whether we speak with Postgres itself, and whether it takes writes. */
export async function greet(sql: Sql): Promise<Greeting> {
  const rows = await sql.unsafe(
    `select pg_catalog.pg_backend_pid() as pid, pg_catalog.pg_is_in_recovery() as is_standby,
       (select extract(epoch from backend_start)::text from pg_catalog.pg_stat_activity
        where pid = pg_catalog.pg_backend_pid()) as since`,
  );
  const [row] = rows;
  const pid = Number(row?.pid);
  // Each connection is told the number of its backend. A pooler tells a number of its own.
  const isPooled = pid !== rows.state.pid;
  return {
    isPooled,
    isStandby: row?.is_standby === true,
    backend: isPooled ? undefined : { pid, since: String(row?.since), of: 'backend_start' },
  };
}

/** Sets a connection that is ours alone, as far as its version knows the settings. */
export async function settle(sql: Sql, limits: Limits): Promise<void> {
  const rows = Object.entries(sessionSettings(limits)).map(([name, value]) => `('${name}', '${value}')`);
  await sql.unsafe(
    `select pg_catalog.set_config(known.name, wanted.value, false), ${onDisk(false)}
     from (values ${rows.join(', ')}) as wanted(name, value)
     join pg_catalog.pg_settings known on lower(known.name) = lower(wanted.name)`,
  );
}

/** A server takes no writes. The code is Postgres' own for that. */
export class TakesNoWrites extends Error {
  override name = 'TakesNoWrites';
  readonly code = '25006';
  constructor(at: string, options?: ErrorOptions) {
    super(`Postgres at ${at} takes no writes: it is a standby, or was made read-only`, options);
  }
}

/** Rejects with `TakesNoWrites`: primary and standby may change places behind a connection that stays. */
export async function requireWrites(sql: Sql): Promise<void> {
  const [row] = await sql.unsafe(
    `select pg_catalog.pg_is_in_recovery() or pg_catalog.current_setting('transaction_read_only') = 'on' as is_read_only`,
  );
  if (row?.is_read_only === true) throw new TakesNoWrites('the address of this connection');
}

/** Postgres refused to write: primary and standby have changed places, or somebody made it read-only. */
export const isReadOnlyRefusal = (error: unknown): boolean => sqlState(error) === '25006';

/** A prepared statement is not where it was made, or is there already: somebody gives our connection to others. */
export const isPoolersRefusal = (error: unknown): boolean =>
  ['26000', '42P05'].includes(sqlState(error) ?? '');

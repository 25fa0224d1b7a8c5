/** What a database or a role is set to, and what a URL says beside the address, changes nothing of what the program does. */
import postgres from 'postgres';
import { afterAll, describe, expect, inject, it } from 'vitest';
import type { Database } from '../../../projections/database/database.ts';
import { openDatabase } from '../../../projections/database/open.ts';
import { pool } from '../../../projections/database/pool.ts';
import { requestRebuild } from '../../../projections/rebuild/request.ts';
import { verify } from '../../../projections/verify/verify.ts';
import { projector } from '../../../projections/worker/projector.ts';
import { projectionStatus } from '../../../projections/worker/status.ts';
import { listWorkshops } from '../../../projections/workshops/queries.ts';
import { embeddedLog } from '../../../src/log/embedded/log.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { startPgbouncer } from '../../kit/pgbouncer.ts';
import { startPostgres } from '../../kit/postgres.ts';
import { migratedPostgres, sharedPostgres } from '../../kit/shared.ts';
import { until } from '../../kit/until.ts';
import { append, fail, folded } from '../stores.ts';
import { story } from '../story.ts';

const opened: { close(): Promise<unknown> }[] = [];
afterAll(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});

function closing<T extends { close(): Promise<unknown> }>(each: T): T {
  opened.push(each);
  return each;
}

/** Each breaks something where it is left as it is. */
const hostile: Record<string, string> = {
  DateStyle: `'SQL, DMY'`,
  IntervalStyle: 'sql_standard',
  TimeZone: `'Asia/Kolkata'`,
  search_path: 'elsewhere, public',
  statement_timeout: `'1s'`,
  lock_timeout: `'1ms'`,
  idle_in_transaction_session_timeout: `'1ms'`,
  idle_session_timeout: `'10s'`,
  default_transaction_read_only: 'on',
  default_transaction_isolation: 'serializable',
  default_transaction_deferrable: 'on',
  standard_conforming_strings: 'off',
  bytea_output: 'escape',
  extra_float_digits: '-10',
  client_encoding: 'LATIN1',
  row_security: 'off',
  array_nulls: 'off',
  synchronous_commit: 'off',
};

/** An empty database that is set so, with a schema in which somebody else has tables of our names. */
async function hostileDatabase(): Promise<string> {
  const url = await sharedPostgres();
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  await sql`create schema elsewhere`;
  await sql`create table elsewhere.workshops (id text)`;
  const name = new URL(url).pathname.slice(1);
  for (const [setting, value] of Object.entries(hostile))
    await sql.unsafe(`alter database ${name} set ${setting} = ${value}`);
  await sql.end();
  return url;
}

async function through(how: string, url: string): Promise<string> {
  if (how === 'directly') return url;
  // Idle connections of the pooler itself are ended too by what the database is set to.
  const pooler = closing(
    await startPgbouncer(inject('postgresUrl'), {
      ...{ poolSize: 2, extra: { server_check_delay: '0' } },
      ...(how.includes('session mode') && { mode: 'session' as const, poolSize: 20 }),
    }),
  );
  return pooler.through(url);
}

const settingOf = async (database: Database, name: string) =>
  (await database.query(`select current_setting('${name}') as value`, []))[0]?.value;

describe.concurrent.each([
  'directly',
  'through pgbouncer in transaction mode',
  'through pgbouncer in session mode',
])('%s', (how) => {
  it('[B14] a database that is set otherwise is migrated, projected, listed, rebuilt and verified as any other', {
    timeout: 60_000,
  }, async () => {
    const url = await through(how, await hostileDatabase());
    const database = closing(openDatabase({ url }, { onError: fail }));
    await database.ready;
    await database.check();
    const folder = closing(temporaryFolder('log'));
    const log = closing(await embeddedLog({ path: folder.path }));
    closing(projector({ log, database, node: 'one' }));
    const ids = [1, 2];
    for (const id of ids) await append(log, id, story(id));
    for (const id of ids) await folded({ log, database, close: async () => undefined }, id);
    const { items } = await listWorkshops(database, { userId: 1, roles: ['admin'] }, { limit: 10 });
    expect(items.map(({ id, scheduledAt }) => [id, scheduledAt])).toEqual(
      [2, 1].map((id) => [id, expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/)]),
    );
    expect(await requestRebuild(database)).toBeGreaterThan(0);
    await until(
      async () => (await projectionStatus(database, log)).partitions.every((each) => !each.rebuildRequested),
      { what: 'the rebuild', timeout: 30_000 },
    );
    const found = [];
    for await (const each of verify({ log, database })) if (each.kind !== 'progress') found.push(each);
    expect(found).toMatchObject([{ kind: 'summary', workshops: ids.length, differences: 0 }]);
    expect(await database.query('select count(*) as count from elsewhere.workshops', [])).toEqual([
      { count: 0 },
    ]);
  });

  it('[B14] every setting that is relied on is ours', async () => {
    const url = await through(how, await hostileDatabase());
    const database = closing(openDatabase({ url }, { onError: fail }));
    await database.ready;
    const ours: Record<string, string> = {
      ...{ DateStyle: 'ISO, MDY', IntervalStyle: 'postgres', TimeZone: 'UTC', search_path: 'public' },
      ...{ statement_timeout: '10min', lock_timeout: '30s', idle_in_transaction_session_timeout: '1min' },
      ...{ transaction_read_only: 'off', transaction_isolation: 'read committed' },
      ...{ standard_conforming_strings: 'on', bytea_output: 'hex', extra_float_digits: '1' },
      ...{ client_encoding: 'UTF8', row_security: 'on', array_nulls: 'on', synchronous_commit: 'local' },
    };
    for (const [name, value] of Object.entries(ours))
      expect({ name, value: await settingOf(database, name) }).toEqual({ name, value });
    if (how === 'directly') expect(await settingOf(database, 'idle_session_timeout')).toBe('0');
    // Longer than the database lets a statement take.
    expect(await database.query(`select 'done' as is from pg_sleep(1.2)`, [])).toEqual([{ is: 'done' }]);
    expect(await database.query(`select '🎈' as text, '\\x00'::bytea::text as bytes`, [])).toEqual([
      { text: '🎈', bytes: '\\x00' },
    ]);
  });
});

it('[B14] nothing of ours is left on a connection of a pooler', async () => {
  const pooler = closing(await startPgbouncer(inject('postgresUrl'), { poolSize: 1 }));
  const url = pooler.through(await migratedPostgres());
  const names = ['search_path', 'statement_timeout', 'lock_timeout', 'default_transaction_isolation'];
  const shown = async () => {
    const sql = postgres(url, { max: 1, prepare: false });
    const rows = await sql.unsafe(
      `select ${names.map((name) => `current_setting('${name}') as ${name}`).join(', ')},
         (select count(*)::integer from pg_prepared_statements) as prepared, pg_backend_pid() as pid`,
    );
    await sql.end();
    return { ...rows[0] };
  };
  const before = await shown();
  const database = closing(openDatabase({ url }, { onError: fail }));
  await database.ready;
  await Promise.all(
    Array.from({ length: 20 }, (_, index) => database.query('select $1::bigint as it', [index])),
  );
  await expect(database.query('select 1 / 0', [])).rejects.toThrow(/division/);
  expect(await shown()).toEqual(before);
});

it('[B11] what a URL says beside the address does not get to the server', async () => {
  const url = `${await migratedPostgres()}?pgbouncer=false&connection_limit=3&schema=public&statement_timeout=1&keepalives=1&sslmode=prefer&channel_binding=prefer&supa=x&gssencmode=disable&application_name=mine&target_session_attrs=read-write&uselibpqcompat=true&prepareThreshold=0`;
  const database = closing(openDatabase({ url }, { onError: fail }));
  await database.ready;
  expect(await settingOf(database, 'statement_timeout')).toBe('10min');
  expect(await settingOf(database, 'application_name')).toBe('mine');
});

it('[B10] a Unix socket is an address as any other', async () => {
  const server = closing(await startPostgres());
  const folder = encodeURIComponent(server.socketFolder);
  for (const url of [
    `postgres://postgres@${folder}:${server.port}/postgres`,
    `postgres://postgres@/postgres?host=${server.socketFolder}&port=${server.port}`,
    `postgres:///postgres?user=postgres&host=${folder}&port=${server.port}&sslmode=require`,
  ]) {
    const connections = closing(pool({ url }, { max: 1 }));
    const [row] = await connections.run(async (sql) => sql.unsafe('select inet_server_port() as port'));
    expect(row).toEqual({ port: null });
  }
});

describe('[B11] TLS', () => {
  const isEncrypted = async (url: string) => {
    const connections = closing(pool({ url }, { max: 1 }));
    const [row] = await connections.run(async (sql) =>
      sql.unsafe('select ssl from pg_stat_ssl where pid = pg_backend_pid()'),
    );
    return row?.ssl;
  };
  const why = (url: string) => isEncrypted(url).then(String, (error: Error) => error.message);

  it('is had as it was asked for, with certificates that the URL names', async () => {
    const server = closing(await startPostgres({ tls: true }));
    const at = (host: string, query: string) =>
      `postgres://postgres@${host}:${server.port}/postgres?${query}`;
    const ca = `sslrootcert=${encodeURIComponent(server.certificate)}`;
    for (const query of ['sslmode=prefer', 'sslmode=allow', 'sslmode=no-verify', 'sslmode=require'])
      expect({ query, is: await why(at('localhost', query)) }).toEqual({ query, is: 'true' });
    expect(await why(at('localhost', `sslmode=verify-full&${ca}`))).toBe('true');
    expect(await why(at('localhost', `sslmode=require&${ca}&ssl_min_protocol_version=TLSv1.3`))).toBe('true');
    expect(await why(at('localhost', 'sslmode=verify-ca'))).toMatch(/self-signed/);
    // The certificate is for the name, and the address is another one.
    expect(await why(at('127.0.0.1', `sslmode=verify-ca&${ca}`))).toBe('true');
    expect(await why(at('127.0.0.1', `sslmode=verify-full&${ca}`))).toMatch(/127\.0\.0\.1/);
  });

  it('that the server does not offer is told of, and not done without', async () => {
    const url = `${inject('postgresUrl')}?sslmode=`;
    expect(await why(`${url}require`)).toMatch(/offers no TLS, which sslmode=require asks for/);
    expect(await why(`${url}prefer`)).toBe('false');
  });
});

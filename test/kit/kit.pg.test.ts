import postgres from 'postgres';
import { expect, inject, test } from 'vitest';
import { startPgbouncer } from './pgbouncer.ts';
import { startPostgres } from './postgres.ts';
import { sharedPostgres } from './shared.ts';

test('each caller of the shared Postgres has a fresh database of its own', async () => {
  const [first, second] = await Promise.all([sharedPostgres(), sharedPostgres()]);
  expect(first).not.toBe(second);
  const sql = postgres(first, { max: 1 });
  await sql`create table workshops (id int)`;
  await sql.end();

  const other = postgres(second, { max: 1 });
  expect(
    await other`select table_name from information_schema.tables where table_schema = 'public'`,
  ).toHaveLength(0);
  await other.end();
});

test('a Postgres of a test’s own keeps what was committed over a restart and a crash, with clients connected', async () => {
  const server = await startPostgres();
  try {
    const sql = postgres(await server.createDatabase(), { max: 1, onnotice: () => undefined });
    await sql`create table workshops (id int)`;
    await sql`insert into workshops values (7)`;
    await server.restart();
    expect(await sql`select id from workshops`).toMatchObject([{ id: 7 }]);
    await sql`insert into workshops values (8)`;
    await server.kill();
    await server.start();
    expect(await sql`select id from workshops order by id`).toMatchObject([{ id: 7 }, { id: 8 }]);
    expect(server.output()).toContain('database system was not properly shut down');
    await sql.end();
  } finally {
    await server.close();
  }
});

test('a pgbouncer of a test’s own shares few connections among many clients, by transaction', async () => {
  const pooler = await startPgbouncer(inject('postgresUrl'), { poolSize: 1 });
  const url = await sharedPostgres();
  const clients = Array.from({ length: 5 }, () => postgres(pooler.through(url), { max: 1 }));
  const backends = await Promise.all(
    clients.map(async (sql) => (await sql`select pg_backend_pid() as pid`.simple())[0]?.pid),
  );
  expect(new Set(backends).size).toBe(1);
  await Promise.all(clients.map((sql) => sql.end()));
  await pooler.close();
});

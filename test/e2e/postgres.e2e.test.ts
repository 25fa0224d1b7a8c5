/** The whole product on a Postgres that is not a plain one: behind pgbouncer in transaction mode, and where standby and primary change places. */
import postgres from 'postgres';
import { expect, inject, it, vi } from 'vitest';
import { closingAfterEach } from '../kit/closing.ts';
import { runCommand } from '../kit/commandLine.ts';
import { startPgbouncer } from '../kit/pgbouncer.ts';
import { startPostgres } from '../kit/postgres.ts';
import { liveWorkshop, type TestServer, testServer, token } from '../kit/server.ts';
import { sharedPostgres, sharedRedis } from '../kit/shared.ts';
import { until } from '../kit/until.ts';

vi.setConfig({ testTimeout: 60_000 });

const closing = closingAfterEach();

const readiness = async ({ url }: TestServer) => {
  const answer = await fetch(`${url}/readyz`);
  return { code: answer.status, ...((await answer.json()) as object) };
};

/** Two people, messages, a hand, and its end; resolves once the tables have all of it. */
async function played(server: TestServer): Promise<number> {
  const workshopId = await liveWorkshop(server, [2]);
  const [host, guest] = [await server.connect(1), await server.connect(2)];
  for (const each of [host, guest])
    expect(await each.say('join', { workshopId })).toMatchObject({ ok: true });
  for (let count = 0; count < 20; count++)
    expect(await guest.say('chat', { workshopId, message: `message ${count}` })).toMatchObject({ ok: true });
  expect(await guest.say('raise-hand', { workshopId })).toMatchObject({ ok: true });
  const { body } = await server.rest(1, 'POST', `/api/workshops/${workshopId}/end`);
  await until(
    async () =>
      (await server.rest(1, 'GET', `/api/workshops/${workshopId}/chat?minVersion=${body.version}`)).status ===
      200,
    { what: 'the tables', timeout: 20_000 },
  );
  return workshopId;
}

it('[B15] a node behind pgbouncer in transaction mode makes its tables, fills, lists and verifies them', async () => {
  const pooler = closing(await startPgbouncer(inject('postgresUrl'), { poolSize: 3 }));
  const env = { REDIS_URL: await sharedRedis(), DATABASE_URL: pooler.through(await sharedPostgres()) };
  const [one, other] = [closing(await testServer(env)), closing(await testServer(env))];
  await until(() => isReady(one), { what: 'tables' });
  expect(await readiness(one)).toMatchObject({ code: 200, status: 'ready', database: 'ok' });
  const ids = await Promise.all([played(one), played(other), played(one)]);

  const lists = async (path: string) => (await other.rest(1, 'GET', path)).body.items;
  expect((await lists('/api/workshops')).map(({ id }: { id: number }) => id)).toEqual(
    expect.arrayContaining(ids),
  );
  for (const id of ids) {
    expect(await lists(`/api/workshops/${id}/chat`)).toHaveLength(20);
    expect(await lists(`/api/workshops/${id}/attendees`)).toHaveLength(2);
    const exported = await fetch(`${one.url}/api/workshops/${id}/export?what=chat&format=ndjson`, {
      headers: { authorization: `Bearer ${await token({ id: 1 })}` },
    });
    expect((await exported.text()).trim().split('\n')).toHaveLength(20);
  }
  const verified = await runCommand(env, 'verify', '--all');
  expect(verified).toMatchObject({ code: 0 });
  expect(await runCommand(env, 'projections', 'status')).toMatchObject({ code: 0 });
  expect(await readiness(other)).toMatchObject({ code: 200, status: 'ready' });
  expect(pooler.output()).not.toMatch(/unsupported startup parameter|prepared statement/);
});

async function isReady(server: TestServer): Promise<boolean> {
  const { status } = (await readiness(server)) as { status?: string };
  return status === 'ready';
}

it('[B12] a node whose primary is gone says that what is left takes no writes, and goes on once it does', async () => {
  const primary = closing(await startPostgres());
  const standby = closing(await startPostgres({ standbyOf: primary.url() }));
  const hosts = [standby, primary].map(({ port }) => `127.0.0.1:${port}`).join(',');
  const env = { REDIS_URL: await sharedRedis(), DATABASE_URL: `postgres://postgres@${hosts}/postgres` };
  const node = closing(await testServer(env));
  await until(() => isReady(node), { what: 'the node to be ready on the primary' });
  const workshopId = await played(node);

  await primary.kill();
  await until(async () => !(await isReady(node)), { what: 'the node to notice' });
  await until(
    async () => /takes no writes/.test(String(((await readiness(node)) as { reason?: string }).reason)),
    { what: 'the reason' },
  );
  expect(await readiness(node)).toMatchObject({ code: 200, status: 'degraded', log: 'ok' });

  const read = await runCommand(
    { ...env, DATABASE_URL: standby.url() },
    ...['export', workshopId, '--what', 'chat', '--format', 'ndjson'],
  );
  expect(read).toMatchObject({ code: 0 });
  const refused = await runCommand({ ...env, DATABASE_URL: standby.url() }, 'projections', 'rebuild');
  expect(refused).toMatchObject({ code: 1, all: expect.stringMatching(/^[^\n]*takes no writes[^\n]*\n$/) });

  const sql = postgres(standby.url(), { max: 1 });
  await sql`select pg_promote()`;
  await sql.end();
  await until(() => isReady(node), { what: 'the node to be ready again' });
  await played(node);
  expect((await node.rest(1, 'GET', `/api/workshops/${workshopId}/chat`)).body.items).toHaveLength(20);
});

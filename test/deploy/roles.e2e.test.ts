/** The users of `deploy/`: a node runs a whole workshop with their rights, and no right is left for anything else. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../kit/folder.ts';
import { type PostgresServer, startPostgres } from '../kit/postgres.ts';
import { startProcess } from '../kit/process.ts';
import { program } from '../kit/program.ts';
import { type RedisServer, startRedis } from '../kit/redis.ts';
import { liveWorkshop, secret, type TestServer, testServer } from '../kit/server.ts';
import { until } from '../kit/until.ts';

const deployed = (name: string) => new URL(`../../deploy/${name}`, import.meta.url).pathname;
const passwords = { workshop: 'of the nodes', projector: 'of the projectors', analyst: 'of the analysts' };

let folder: ReturnType<typeof temporaryFolder>;
let redis: RedisServer;
let database: PostgresServer;
let owner: string;
const clients: Redis[] = [];

beforeAll(async () => {
  folder = temporaryFolder('roles');
  const hash = (text: string) => createHash('sha256').update(text).digest('hex');
  const users = readFileSync(deployed('redis-users.acl'), 'utf8')
    .replace('NODE_PASSWORD_SHA256', hash(passwords.workshop))
    .replace('PROJECTOR_PASSWORD_SHA256', hash(passwords.projector))
    .replace('ANALYST_PASSWORD_SHA256', hash(passwords.analyst));
  writeFileSync(`${folder.path}/users.acl`, `${users}user watcher on nopass ~* &* +@all\n`);
  redis = await startRedis({ extra: { aclfile: `${folder.path}/users.acl` } });
  database = await startPostgres();
  owner = await database.createDatabase();
  runRoles();
}, 60_000);
afterAll(async () => {
  for (const client of clients) client.disconnect();
  await redis?.close();
  await database?.close();
  await folder.close();
});

function runRoles(): void {
  const set = ['migrator', 'app', 'analyst'].flatMap((name) => ['-v', `${name}_password=${name}`]);
  const { status, stderr } = spawnSync(
    'psql',
    ['-q', '-X', ...set, '-f', deployed('postgres-roles.sql'), owner],
    { encoding: 'utf8' },
  );
  expect(status, stderr).toBe(0);
}

function as(role: string): string {
  const url = new URL(owner);
  url.username = `workshop_${role}`;
  url.password = role;
  return url.href;
}

function redisUrl(user: 'workshop' | 'projector'): string {
  const url = new URL(redis.url);
  url.username = user;
  url.password = passwords[user];
  return url.href;
}

function redisAs(username: string, password?: string): Redis {
  const client = new Redis(redis.url, {
    ...{ username, retryStrategy: () => null, enableReadyCheck: false },
    ...(password !== undefined && { password }),
  });
  client.on('error', () => undefined);
  clients.push(client);
  return client;
}

async function migrate(): Promise<string> {
  const running = await startProcess({
    command: process.execPath,
    args: [program, 'migrate', '--json'],
    env: { DATABASE_URL: as('app'), MIGRATE_DATABASE_URL: as('migrator') },
  });
  const { code } = await running.ended;
  expect(code, running.output()).toBe(0);
  return running.stdout();
}

const stores = () => ({ DATABASE_URL: as('app'), PRESENCE_LEASE_MS: '1500' });
const gateway = () => ({ ...stores(), REDIS_URL: redisUrl('workshop'), ROLE: 'gateway' });
const projector = () => ({ ...stores(), REDIS_URL: redisUrl('projector'), ROLE: 'projector' });
/** One that does both. */
const all = () => ({ ...stores(), REDIS_URL: redisUrl('projector') });

describe('a node with the rights of deploy/', () => {
  it('[S31] says that migrations are due and who runs them, and goes on once they were run', {
    timeout: 90_000,
  }, async () => {
    const node = await startProcess({
      command: process.execPath,
      args: [program, 'serve', '--json'],
      env: { ...all(), PORT: '0', AUTH_SECRET: secret, LOG_LEVEL: 'warn' },
    });
    try {
      await node.waitFor(/lacks the migrations 0000_tables, .*npx workshop migrate/, 30_000);
      const [line] = await node.waitFor(/\{"url".*\}/, 30_000);
      const { url } = JSON.parse(line);
      expect(JSON.parse(await migrate()).migrations).toContain('0000_tables');
      await until(async () => (await (await fetch(`${url}/metrics`)).text()).includes('workshop_sockets 0'), {
        what: 'its metrics',
      });
      const sql = postgres(as('analyst'), { max: 1 });
      await until(async () => (await sql`select 1 from workshops`).length === 0, {
        what: 'tables that the analyst may read',
      });
      await sql.end();
    } finally {
      await node.stop();
    }
    runRoles();
    expect(JSON.parse(await migrate())).toEqual({ migrations: [] });
  });

  it('[S29] runs a whole workshop, and Redis refuses it nothing', { timeout: 90_000 }, async () => {
    const nodes: TestServer[] = [];
    try {
      // About a second and a half.
      const archiving = { ARCHIVE_AFTER_MINUTES: '0.025' };
      for (const each of [gateway(), gateway(), { ...projector(), ...archiving }])
        nodes.push(await testServer(each));
      const [one, other, folding] = nodes as [TestServer, TestServer, TestServer];
      const workshopId = await liveWorkshop(one, [2, 3], {
        scheduledAt: new Date(Date.now() + 3_600_000).toISOString(),
      });
      await one.rest(1, 'POST', `/api/workshops/${workshopId}/invitations`, { userIds: [4] });
      const [host, guest] = [await one.connect(1), await other.connect(2)];
      for (const each of [host, guest])
        expect(await each.say('join', { workshopId })).toMatchObject({ ok: true });
      const commandId = '0199a1de-0000-7000-8000-000000000001';
      for (let count = 0; count < 2; count++)
        expect(await guest.say('chat', { workshopId, message: 'hello', commandId })).toMatchObject({
          ok: true,
        });
      const said = await guest.say('chat', { workshopId, message: 'taken back' });
      if (!said.ok) throw new Error('the message was refused');
      expect(await guest.say('delete-chat', { workshopId, messageId: said.version })).toMatchObject({
        ok: true,
      });
      expect(await guest.say('raise-hand', { workshopId })).toMatchObject({ ok: true });
      expect(await host.say('approve-speaker', { workshopId, targetUserId: 2 })).toMatchObject({ ok: true });
      const dropping = await other.connect(3);
      expect(await dropping.say('join', { workshopId })).toMatchObject({ ok: true });
      dropping.close();
      await host.hears('user-left', ({ userId }) => userId === 3);
      expect(await host.say('remove-user', { workshopId, targetUserId: 2 })).toMatchObject({ ok: true });
      await guest.hears('user-removed');
      // A node that goes leaves its users to the lease, and the others end them.
      const left = await other.connect(4);
      expect(await left.say('join', { workshopId })).toMatchObject({ ok: true });
      nodes.splice(1, 1);
      await other.close();
      await host.hears('user-left', ({ userId }) => userId === 4);
      const { body } = await one.rest(1, 'POST', `/api/workshops/${workshopId}/end`);
      const list = await one.rest(1, 'GET', `/api/workshops/${workshopId}/chat?minVersion=${body.version}`);
      expect(list.body.items).toMatchObject([{ message: 'hello' }, { message: null, deleted: true }]);
      const ready = await (await fetch(`${one.url}/readyz`)).json();
      expect(ready).toMatchObject({ status: 'ready' });
      await until(async () => (await timersOf(workshopId)) === 0, { what: 'its timer to be dropped' });
      // It is archived, put back since a message is taken back, archived again, and somebody is forgotten.
      const isArchived = async () => (await streamsOf(workshopId)) === 0;
      await until(isArchived, { what: 'it to be archived', timeout: 15_000 });
      const [{ id: message }] = list.body.items;
      expect(
        (await one.rest(1, 'DELETE', `/api/workshops/${workshopId}/chat/${message}`)).body,
      ).toMatchObject({ changed: true });
      expect(await isArchived()).toBe(false);
      await until(isArchived, { what: 'it to be archived again', timeout: 15_000 });
      const second = await liveWorkshop(one, [2]);
      expect((await folding.rest(admin, 'POST', '/api/admin/erasures/2')).status).toBe(202);
      await until(async () => (await folding.rest(admin, 'GET', '/api/admin/erasures/2')).body.left === 0, {
        what: 'a person to be forgotten',
        timeout: 15_000,
      });
      const { body: people } = await one.rest(1, 'GET', `/api/workshops/${second}/attendees`);
      expect(JSON.stringify(people)).not.toContain('User 2');
    } finally {
      for (const node of nodes) await node.close();
    }
    expect(await redisAs('watcher').call('ACL', 'LOG')).toEqual([]);
  });

  it('[J12] its tables are folded anew and follow a log that lost events', { timeout: 90_000 }, async () => {
    const node = await testServer(all());
    const sql = postgres(owner, { max: 1 });
    try {
      const workshopId = await liveWorkshop(node, [2]);
      await until(async () => (await versionOf(sql, workshopId)) === 3, {
        what: 'its tables',
        timeout: 15_000,
      });
      expect((await node.rest(admin, 'POST', '/api/admin/projections/rebuild')).status).toBe(202);
      const isDone = async () => {
        const { body } = await node.rest(admin, 'GET', '/api/admin/status');
        return body.projections.partitions.every(
          (each: { rebuildRequested: boolean }) => !each.rebuildRequested,
        );
      };
      await until(isDone, { what: 'the rebuild', timeout: 30_000 });
      expect(await versionOf(sql, workshopId)).toBe(3);
      // A workshop whose stream is gone is put back from the tables.
      await redisAs('watcher').flushall();
      const invites = () =>
        node.rest(1, 'POST', `/api/workshops/${workshopId}/invitations`, { userIds: [5] });
      await until(async () => (await invites()).body.version === 4, {
        what: 'the workshop to be put back',
        timeout: 20_000,
      });
      expect(await redisAs('watcher').call('ACL', 'LOG')).toEqual([]);
      // Whoever deletes an event's row leaves it behind.
      const app = postgres(as('app'), { max: 1 });
      await app`delete from workshop_events where workshop_id = ${workshopId} and version = 3`;
      await app.end();
      const kept = await sql`select version from workshop_events_lost where workshop_id = ${workshopId}`;
      expect(kept.map((row) => Number(row.version))).toEqual([3]);
    } finally {
      await sql.end();
      await node.close();
    }
  });
});

/** How many timers the workshop has, whatever partition it is in. */
async function timersOf(workshopId: number): Promise<number> {
  const watcher = redisAs('watcher');
  const keys = await watcher.keys('ws:*:timers');
  const scores = await Promise.all(keys.map((key) => watcher.zscore(key, String(workshopId))));
  watcher.disconnect();
  return scores.filter((score) => score !== null).length;
}

/** How many streams there are of the workshop. */
async function streamsOf(workshopId: number): Promise<number> {
  const watcher = redisAs('watcher');
  const keys = await watcher.keys(`ws:*:${workshopId}:events`);
  watcher.disconnect();
  return keys.length;
}

const admin = { id: 9, roles: ['admin'] };

async function versionOf(sql: postgres.Sql, workshopId: number): Promise<number> {
  const [row] = await sql`select version from workshops where id = ${workshopId}`;
  return Number(row?.version ?? 0);
}

describe('in Redis', () => {
  const refused = async (client: Redis, ...command: [string, ...string[]]) =>
    client.call(...command).then(
      () => 'done',
      (error: Error) => error.message,
    );

  it.each([
    ['FLUSHALL'],
    ['FLUSHDB'],
    ['CONFIG', 'GET', '*'],
    ['CONFIG', 'SET', 'appendonly', 'no'],
    ['KEYS', '*'],
    ['SCAN', '0'],
    ['DEBUG', 'SLEEP', '0'],
    ['SHUTDOWN'],
    ['SAVE'],
    ['REPLICAOF', 'NO', 'ONE'],
    ['ACL', 'LIST'],
    ['CLIENT', 'LIST'],
    ['MONITOR'],
    ['SCRIPT', 'FLUSH'],
    ['FUNCTION', 'FLUSH'],
    ['DEL', 'ws:{0}:1:events'],
    ['UNLINK', 'ws:{0}:feed'],
    ['SET', 'ws:{0}:1:events', 'x'],
    ['RENAME', 'ws:{0}:1:events', 'ws:{0}:1:aside:x'],
    ['XTRIM', 'ws:{0}:1:events', 'MAXLEN', '0'],
    ['XDEL', 'ws:{0}:1:events', '1-0'],
    ['GET', 'other'],
    ['HSET', 'other', 'a', 'b'],
    ['PUBLISH', 'other', 'x'],
    ['EVAL', "return redis.call('FLUSHALL')", '0'],
    ['EVAL', "return redis.call('DEL', KEYS[1])", '1', 'ws:{0}:1:events'],
    ['EVAL', "return redis.call('KEYS', '*')", '0'],
  ])('[S29] neither gateway nor projector may %s %s', async (...command) => {
    for (const user of ['workshop', 'projector'] as const)
      expect(
        await refused(redisAs(user, passwords[user]), ...(command as [string, ...string[]])),
        user,
      ).toMatch(/^NOPERM|The user executing the script can't|DEBUG command not allowed/);
  });

  it.each([
    ['UNLINK', 'ws:{0}:1:events'],
    ['XTRIM', 'ws:{0}:feed', 'MAXLEN', '0'],
    ['EVAL', "return redis.call('UNLINK', KEYS[1])", '1', 'ws:{0}:1:events'],
  ])('[S29] a gateway may not %s %s, as projectors do', async (...command) => {
    const [gateway, projector] = (['workshop', 'projector'] as const).map((user) =>
      redisAs(user, passwords[user]),
    ) as [Redis, Redis];
    expect(await refused(gateway, ...(command as [string, ...string[]]))).toMatch(
      /^NOPERM|The user executing the script can't/,
    );
    expect(await refused(projector, ...(command as [string, ...string[]]))).toBe('done');
  });

  it('[S29] analysts read streams and write nothing, a probe may ping, and nobody comes in without a name', async () => {
    const analyst = redisAs('analyst', passwords.analyst);
    expect(await refused(analyst, 'XLEN', 'ws:{0}:1:events')).toBe('done');
    for (const command of [
      ['XADD', 'ws:{0}:1:events', '*', 'a', 'b'],
      ['HSET', 'ws:{0}:1:meta', 'a', 'b'],
      ['GET', 'other'],
      ['EVAL', 'return 1', '0'],
      ['KEYS', '*'],
    ] as [string, ...string[]][])
      expect(await refused(analyst, ...command), command.join(' ')).toContain('NOPERM');
    const probe = redisAs('probe', '');
    expect(await probe.ping()).toBe('PONG');
    expect(await refused(probe, 'GET', 'ws:{ids}:next')).toContain('NOPERM');
    const nobody = new Redis(redis.url, { retryStrategy: () => null, enableReadyCheck: false });
    nobody.on('error', () => undefined);
    clients.push(nobody);
    expect(await refused(nobody, 'PING')).toContain('NOAUTH');
  });
});

describe('in Postgres', () => {
  async function refused(role: string, statement: string): Promise<string> {
    const sql = postgres(as(role), { max: 1, onnotice: () => undefined });
    try {
      return await sql.unsafe(statement).then(
        () => 'done',
        (error: { code: string }) => error.code,
      );
    } finally {
      await sql.end();
    }
  }

  it.each([
    'drop table workshop_events',
    'truncate workshop_events',
    'alter table workshop_events add column x integer',
    'alter table workshop_events disable trigger all',
    'create table mine (x integer)',
    'create schema mine',
    'create temporary table workshop_events_lost (x integer)',
    `update workshop_events set type = 'x'`,
    `update workshop_events set "by" = '1', at = now()`,
    'delete from workshop_events_lost',
    'update workshop_events_lost set version = 0',
    'delete from workshops',
    'truncate workshops_next',
    `update workshop_events_next set type = 'x'`,
    'delete from projection_skipped',
    'delete from workshop_migrations',
    `copy workshops to program 'cat'`,
    `copy workshops from '/etc/passwd'`,
    `select pg_read_file('/etc/passwd')`,
    'create role mine',
    'alter role workshop_app superuser',
    'set role workshop_migrator',
  ])('[S30] a node may not: %s', async (statement) => {
    expect(await refused('app', statement)).toBe('42501');
  });

  it('[S30] analysts read the tables of the contract and nothing else', async () => {
    for (const table of ['workshops', 'workshop_attendees', 'workshop_chat_messages', 'workshop_events'])
      expect(await refused('analyst', `select * from ${table} limit 1`)).toBe('done');
    for (const statement of [
      'insert into projection_skipped default values',
      'select * from projection_parked',
      'select * from workshop_chat_messages_next',
      'delete from workshop_chat_messages',
      'drop table workshops',
      `copy (select 1) to program 'cat'`,
    ])
      expect(['42501', '25006'], statement).toContain(await refused('analyst', statement));
  });

  it('[S30] a statement that takes too long ends by itself', async () => {
    const sql = postgres(as('app'), { max: 1 });
    const [row] = await sql`select current_setting('statement_timeout') as statement,
      current_setting('idle_in_transaction_session_timeout') as idle`;
    await sql.end();
    expect(row).toEqual({ statement: '1min', idle: '10s' });
  });
});

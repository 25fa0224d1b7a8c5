/**
 * Projectors as processes of their own, on a Redis and a Postgres that break. Whatever happens: no process ends by itself,
 * the rooms do not notice, and in the end the tables are what the log says.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../projections/database/database.ts';
import { openDatabase } from '../../projections/database/open.ts';
import type { EventLog } from '../../src/log/log.ts';
import { globalKeys, partitionKeys, partitionTags } from '../../src/log/redis/keys.ts';
import { redisLog } from '../../src/log/redis/log.ts';
import { type PostgresServer, startPostgres } from '../kit/postgres.ts';
import { type RunningProcess, startProcess } from '../kit/process.ts';
import { program } from '../kit/program.ts';
import { type RedisServer, startRedis } from '../kit/redis.ts';
import { type Json, liveWorkshop, secret, type TestServer, testServer } from '../kit/server.ts';
import { until } from '../kit/until.ts';
import { type Load, load } from './load.ts';

const admin = { id: 9, roles: ['admin'] };
/** How long a partition stays with a projector that is not heard of; see `projector.ts`. */
const leaseMs = 6_000;
const beatMs = leaseMs / 3;

interface ProjectorProcess {
  process: RunningProcess;
  metric(name: string): Promise<number>;
}

let redis: RedisServer;
let server: PostgresServer;
let settings: Record<string, string>;
let gateway: TestServer;
let log: EventLog;
let database: Database;
let running: ProjectorProcess[] = [];
let growing: Load;

beforeAll(async () => {
  [redis, server] = await Promise.all([startRedis(), startPostgres()]);
  settings = { REDIS_URL: redis.url, DATABASE_URL: await server.createDatabase() };
  gateway = await testServer({ ...settings, ROLE: 'gateway' });
  log = await redisLog({ address: { url: redis.url }, onError: () => undefined });
  database = openDatabase({ url: settings.DATABASE_URL ?? '' }, { onError: () => undefined });
  await database.ready;
  growing = await load({ log, database, workshops: 10, everyMs: 4 });
  running = [await project(), await project()];
  await shared();
}, 150_000);
afterAll(async () => {
  await Promise.all(running.map(({ process }) => process.stop()));
  await gateway.close();
  await database.close();
  await log.close();
  await server.close();
  await redis.close();
}, 60_000);

async function project(): Promise<ProjectorProcess> {
  const started = await startProcess({
    command: process.execPath,
    args: [program, 'project', '--json'],
    env: { ...settings, PORT: '0', AUTH_SECRET: secret, LOG_LEVEL: 'warn' },
  });
  const [line] = await started.waitFor(/\{"url".*\}/, 45_000);
  const { url } = JSON.parse(line);
  return {
    process: started,
    async metric(name) {
      const text = await (await fetch(`${url}/metrics`)).text();
      return Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1]);
    },
  };
}

async function status(): Promise<Json> {
  return (await gateway.rest(admin, 'GET', '/api/admin/status')).body.projections;
}

/** How many partitions each projector has by a lease that has not run out. */
async function shares(): Promise<number[]> {
  const counts = new Map<string, number>();
  for (const { owner, leaseUntil } of (await status()).partitions)
    if (owner !== null && Date.parse(leaseUntil) > Date.now())
      counts.set(owner, (counts.get(owner) ?? 0) + 1);
  return [...counts.values()].sort((a, b) => a - b);
}

const shared = () =>
  until(async () => (await shares()).join() === '32,32', {
    what: 'two projectors to share',
    timeout: 40_000,
  });

/** Everything is in the tables, as the log says, and both processes are the ones that were started. */
async function recovered(): Promise<void> {
  await growing.folded(30_000);
  await growing.check();
  for (const { process } of running) expect(process.isRunning(), process.output()).toBe(true);
  expect((await status()).parked).toEqual([]);
}

describe('Postgres', () => {
  it('[J13] may be away: rooms go on, the lag grows, and everything is made up for', {
    timeout: 90_000,
  }, async () => {
    const workshopId = await liveWorkshop(gateway, [2]);
    const guest = await gateway.connect(2);
    expect(await guest.say('join', { workshopId })).toMatchObject({ ok: true });
    const lags: number[] = [];
    const appended = await growing.during(async () => {
      await sleep(500);
      await server.kill();
      for (const ended = performance.now() + 8_000; performance.now() < ended; await sleep(1_000)) {
        const said = performance.now();
        expect(await guest.say('chat', { workshopId, message: 'still here' })).toMatchObject({ ok: true });
        expect(performance.now() - said).toBeLessThan(1_500);
        lags.push(
          Math.max(
            ...(await Promise.all(running.map((each) => each.metric('workshop_projector_lag_seconds')))),
          ),
        );
      }
      expect((await gateway.rest(2, 'GET', '/api/workshops')).status).toBe(503);
      await server.start();
    });
    expect(appended).toBeGreaterThan(200);
    expect(lags.at(-1)).toBeGreaterThan(4);
    await recovered();
    for (const each of running)
      await until(async () => (await each.metric('workshop_projector_lag_seconds')) === 0, {
        what: 'no lag',
      });
    const chat = await until(
      async () => {
        const { body } = await gateway.rest(2, 'GET', `/api/workshops/${workshopId}/chat`);
        return body.items?.length === lags.length && body.items;
      },
      { what: 'the chat of the outage', timeout: 10_000 },
    );
    expect(chat).toHaveLength(lags.length);
  });

  it('[J13] may crash in the middle of commits, and lose connections at random', {
    timeout: 90_000,
  }, async () => {
    let killed = 0;
    await growing.during(async () => {
      for (let round = 0; round < 2; round++) {
        await sleep(700);
        await server.kill();
        await server.start();
      }
      const sql = postgres(settings.DATABASE_URL ?? '', { max: 1 });
      while (killed < 30) {
        await sleep(50 + Math.random() * 200);
        const rows = await sql`
          select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and pid <> pg_backend_pid() and random() < 0.5`;
        killed += rows.length;
      }
      await sql.end();
    });
    await recovered();
  });
});

describe('a projector', () => {
  it('[J14] that is killed is succeeded within its lease and two beats', { timeout: 90_000 }, async () => {
    await shared();
    let ms = 0;
    await growing.during(async () => {
      await sleep(300);
      const [first] = running.splice(0, 1);
      first?.process.signal('SIGKILL');
      await first?.process.ended;
      const began = performance.now();
      await until(async () => (await shares()).join() === '64', {
        what: 'the other to have all',
        timeout: 20_000,
      });
      ms = performance.now() - began;
    });
    // It counts who is there by the same lease, so that one beat more may pass before it takes all.
    expect(ms).toBeLessThan(leaseMs + 2 * beatMs + 1_000);
    await recovered();
    running.push(await project());
    await shared();
  });

  it('[J14] that stood still beyond its lease writes nothing on what others have by then', {
    timeout: 90_000,
  }, async () => {
    const [still, other] = running as [ProjectorProcess, ProjectorProcess];
    await growing.during(async () => {
      await sleep(500);
      still.process.signal('SIGSTOP');
      await until(async () => (await shares()).join() === '64', {
        what: 'the other to have all',
        timeout: 20_000,
      });
      await sleep(500);
      still.process.signal('SIGCONT');
      await shared();
    });
    await recovered();
    expect(still.process.output() + other.process.output()).not.toContain('is parked');
  });
});

describe('an event that cannot be folded', () => {
  let broken: number;
  let refused: number;
  let version: number;

  async function cli(...words: string[]): Promise<{ code: number | null; text: string }> {
    const command = await startProcess({
      command: process.execPath,
      args: [program, 'projections', ...words],
      env: { ...settings, LOG_LEVEL: 'warn' },
    });
    const { code } = await command.ended;
    return { code, text: command.output() };
  }

  /** As `append.lua` would, with data that is no JSON: no program of ours writes such an entry. */
  async function inject(workshopId: number, at: number): Promise<void> {
    const tag = partitionTags(64)[log.partitionOf(workshopId)];
    const keys = partitionKeys(String(tag));
    const { events, meta } = keys.workshop(workshopId);
    const client = redis.client();
    const [epoch, time] = await client.hmget(meta, 'epoch', 'at');
    const [id, type, schema, by, command, data] = [
      'injected',
      'user-invited',
      '1',
      '1',
      'none',
      '{"userId": ',
    ];
    const fields = [
      'event',
      id,
      'type',
      type,
      'schema',
      schema,
      'at',
      time,
      'by',
      by,
      'command',
      command,
      'data',
      data,
    ];
    await client.xadd(events, `${at}-0`, ...fields.map(String));
    await client.hset(meta, 'version', at);
    const seq = await client.hincrby(keys.partition, 'seq', 1);
    const head = ['w', workshopId, 'v', at, 'e', epoch, 'at', time];
    await client.xadd(keys.feed, `${seq}-0`, ...[...head, id, type, schema, by, command, data].map(String));
    await client.publish(globalKeys.doorbell, `${workshopId % 64}:${seq}`);
    client.disconnect();
  }

  it('[J15] parks its workshop with the reason, and no other', { timeout: 90_000 }, async () => {
    await database.query(
      "alter table workshop_chat_messages add constraint no_wool check (message <> 'wool') not valid",
      [],
    );
    refused = await liveWorkshop(gateway, [2]);
    broken = await liveWorkshop(gateway, [2]);
    const guest = await gateway.connect(2);
    expect(await guest.say('join', { workshopId: refused })).toMatchObject({ ok: true });
    const said = await guest.say('chat', { workshopId: refused, message: 'wool' });
    if (!said.ok) throw new Error('the message was refused');
    version = said.version;
    await inject(broken, 4);
    const parked = await growing.during(() =>
      until(async () => (await status()).parked.length === 2, { what: 'both to be parked', timeout: 20_000 }),
    );
    expect(parked).toBeGreaterThan(0);
    await growing.folded(20_000);
    for (const each of running)
      await until(async () => (await each.metric('workshop_parked_workshops')) === 2, { what: 'the metric' });
    const told = await cli('status', '--json');
    expect(told.code, told.text).toBe(0);
    expect(JSON.parse(told.text).parked).toEqual([
      expect.objectContaining({ workshopId: refused, version, reason: expect.stringContaining('no_wool') }),
      expect.objectContaining({ workshopId: broken, version: 4, reason: expect.stringContaining('JSON') }),
    ]);
    const { text } = await cli('status');
    expect(text).toMatch(new RegExp(`^ +${broken} +4 +4 +\\S+Z +.*JSON`, 'm'));
  });

  it('[J15] is folded by a retry once the reason is gone, and left out by a skip', {
    timeout: 90_000,
  }, async () => {
    expect(await cli('retry', String(refused))).toMatchObject({
      code: 1,
      text: expect.stringContaining(`parked again at version ${version}: 23514: `),
    });
    await database.query('alter table workshop_chat_messages drop constraint no_wool', []);
    expect(await cli('retry', String(refused))).toMatchObject({ code: 0 });
    expect(await cli('skip', String(broken), '--version', '4', '--yes')).toMatchObject({ code: 0 });
    expect(await status()).toMatchObject({ parked: [], skipped: [{ workshopId: broken, version: 4 }] });
    await until(async () => (await status()).lag === 0, { what: 'no lag' });
    const [row] = await database.query(
      'select type, (select version from workshops where id = $1::bigint) as version from workshop_events where workshop_id = $1::bigint and version = 4',
      [broken],
    );
    expect(row).toEqual({ type: 'unstorable', version: 4 });
    expect(running.map(({ process }) => process.output()).join('')).toMatch(/"version":4,"by":".+ at .+"/);
  });

  it('[J15] does not come back with a rebuild, after which all tables are the same', {
    timeout: 90_000,
  }, async () => {
    const { code, text } = await cli('rebuild', '--json');
    expect(code, text).toBe(0);
    expect(JSON.parse(text)).toMatchObject({ partitions: 64, parked: [] });
    await recovered();
    expect(await status()).toMatchObject({ lag: 0, skipped: [{ workshopId: broken }] });
  });
});

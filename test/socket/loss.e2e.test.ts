/** Rooms on a Redis that loses what it had: some events, one stream, everything. Two nodes, with Postgres beside them. */
import postgres from 'postgres';
import { v7 } from 'uuid';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RedisServer, startRedis } from '../kit/redis.ts';
import { type Guest, liveWorkshop, type TestServer, testServer } from '../kit/server.ts';
import { migratedPostgres } from '../kit/shared.ts';
import { until } from '../kit/until.ts';

let redis: RedisServer;
let databaseUrl: string;
let servers: TestServer[];
let here: TestServer;
let there: TestServer;

beforeAll(async () => {
  redis = await startRedis();
  databaseUrl = await migratedPostgres();
  const settings = { REDIS_URL: redis.url, DATABASE_URL: databaseUrl };
  servers = [await testServer(settings), await testServer(settings)];
  [here, there] = servers as [TestServer, TestServer];
}, 30_000);
afterAll(async () => {
  for (const server of servers) await server.close();
  await redis.close();
});

async function joined(server: TestServer, user: number, join: object): Promise<Guest> {
  const guest = await server.connect(user);
  await guest.say('join', join as { workshopId: number });
  await guest.state();
  return guest;
}

/** Says something once, however often it has to be sent; answers with its version. */
async function said(guest: Guest, workshopId: number, message: string): Promise<number> {
  const commandId = v7();
  const reply = await until(
    async () => {
      const answer = await guest.say('chat', { workshopId, message, commandId });
      return answer.ok ? answer : undefined;
    },
    { what: `"${message}" to be taken`, timeout: 15_000 },
  );
  return reply.ok ? reply.version : 0;
}

/** Until the tables hold everything up to that version. */
async function projected(workshopId: number, version: number): Promise<void> {
  const path = `/api/workshops/${workshopId}/chat?minVersion=${version}`;
  await until(async () => (await here.rest(1, 'GET', path)).status === 200, {
    what: `the tables to hold version ${version}`,
    timeout: 15_000,
  });
}

async function withClient(
  work: (client: ReturnType<RedisServer['client']>) => Promise<unknown>,
): Promise<void> {
  const client = redis.client();
  try {
    await work(client);
  } finally {
    client.disconnect();
  }
}

const versionsHeard = (guest: Guest) =>
  guest.heard.flatMap(({ name, payload }) => {
    if (name === 'workshop:state') return [];
    return name === 'workshop:events' ? payload.events : [payload];
  });

/** Whether they were told of an event, by itself or in a state that has it. */
const knows = (guest: Guest, version: number) =>
  versionsHeard(guest).some((event) => event.version === version) ||
  guest.all('state').some((state) => state.version >= version);

describe('a room', () => {
  it('[D12] goes on after a restart of Redis, and tells of the new epoch without a state where it can', {
    timeout: 40_000,
  }, async () => {
    const workshopId = await liveWorkshop(here, [2, 3]);
    const batch = await joined(here, 2, { workshopId, batch: true });
    const single = await joined(there, 3, { workshopId });
    const before = await said(batch, workshopId, 'before');
    await redis.restart();
    const after = await said(batch, workshopId, 'after');
    for (const guest of [batch, single])
      await until(() => versionsHeard(guest).some(({ version }) => version === after) || undefined, {
        what: `user ${guest.id} to hear of version ${after}`,
      });
    const frame = batch.all('events').findLast(({ epoch }) => epoch !== undefined);
    expect(batch.all('state')).toHaveLength(1);
    expect(frame.epoch).not.toBe(batch.all('state')[0].epoch);
    const state = await until(() => single.all('state')[1], { what: 'a single client to get the state' });
    expect(state.epoch).toBe(frame.epoch);

    const old = batch.all('state')[0].epoch;
    const rejoin = async (point: { version: number; epoch: string }) => {
      const guest = await there.connect(2);
      const reply = await guest.say('join', { workshopId, after: point });
      guest.close();
      return reply;
    };
    expect(await rejoin({ version: before, epoch: old })).toMatchObject({
      resumed: true,
      epoch: frame.epoch,
    });
    expect(await rejoin({ version: after, epoch: frame.epoch })).toMatchObject({ resumed: true });
    expect(await rejoin({ version: after, epoch: old })).toMatchObject({ resumed: false });
    batch.close();
    single.close();
  });

  it('[D10] whose log lost events and grew again is told apart by who resumes', {
    timeout: 40_000,
  }, async () => {
    const workshopId = await liveWorkshop(here, [2, 3, 4]);
    const two = await joined(here, 2, { workshopId, batch: true });
    const kept = await said(two, workshopId, 'kept');
    const { epoch } = two.all('state')[0];
    let dump: (readonly [string, Buffer])[] = [];
    await withClient(async (client) => {
      const keys = await client.keys('*');
      dump = await Promise.all(keys.map(async (key) => [key, await client.dumpBuffer(key)] as const));
    });
    for (let n = 0; n < 5; n++) await said(two, workshopId, `lost ${n}`);
    await withClient(async (client) => {
      // In one step, and nobody looks before there is another run: what is found missing within one begins an epoch of which
      // nothing earlier is sure, and what is found empty is put back from the database.
      const restoring = client.multi().flushall();
      for (const [key, value] of dump) restoring.restore(key, 0, value);
      await restoring.call('CLIENT', 'PAUSE', '60000', 'ALL').exec();
    });
    await redis.kill();
    await redis.start();
    const three = await there.connect(3);
    await until(async () => (await three.say('join', { workshopId, batch: true })).ok, {
      what: 'user 3 to be let in',
      timeout: 15_000,
    });
    for (let n = 0; n < 8; n++) await said(three, workshopId, `instead ${n}`);
    // What the log had up to there is the same; what came then is not what this one saw.
    const four = await there.connect(4);
    expect(await four.say('join', { workshopId, after: { version: kept, epoch } })).toMatchObject({
      resumed: true,
    });
    expect(await four.say('join', { workshopId, after: { version: kept + 3, epoch } })).toMatchObject({
      resumed: false,
    });
    await until(() => two.all('state')[1], { what: 'the state that survived', timeout: 10_000 });
    for (const guest of [two, three, four]) guest.close();
  });

  it('[D13] whose stream is gone is put back from the database before anything follows on it', {
    timeout: 60_000,
  }, async () => {
    const workshopId = await liveWorkshop(here, [2, 3]);
    const two = await joined(here, 2, { workshopId });
    await said(two, workshopId, 'one');
    const unkind = await said(two, workshopId, 'unkind');
    await two.say('delete-chat', { workshopId, messageId: unkind });
    const version = await said(two, workshopId, 'three');
    await projected(workshopId, version);
    const { epoch } = two.all('state')[0];
    await withClient(async (client) => {
      const [stream = ''] = await client.keys(`*:${workshopId}:events`);
      await client.del(stream);
    });
    expect(await said(two, workshopId, 'four')).toBe(version + 1);
    await until(() => knows(two, version + 1), { what: 'its author to be told of it' });
    const three = await there.connect(3);
    expect(await three.say('join', { workshopId, after: { version, epoch } })).toMatchObject({ ok: true });
    const items = (await here.rest(1, 'GET', `/api/workshops/${workshopId}/events?limit=1000`)).body.items;
    expect(items.map((item: { version: number }) => item.version)).toEqual(
      items.map((_: unknown, index: number) => index + 1),
    );
    expect(JSON.stringify(items)).not.toContain('unkind');
    two.close();
    three.close();
  });

  it('[D13] goes on although its Redis lost everything, and its tables lose nothing', {
    timeout: 60_000,
  }, async () => {
    const workshopId = await liveWorkshop(here, [2, 3]);
    const quiet = await liveWorkshop(here, [2]);
    const ended = await liveWorkshop(here, [2]);
    await here.rest(1, 'POST', `/api/workshops/${ended}/end`);
    const two = await joined(here, 2, { workshopId });
    const three = await joined(there, 3, { workshopId, batch: true });
    const version = await said(two, workshopId, 'kept in Postgres');
    await projected(workshopId, version);
    await until(
      async () => (await here.rest(1, 'GET', `/api/workshops/${ended}/chat?minVersion=4`)).status === 200,
      {
        what: 'the ended one to be in the tables',
      },
    );
    const holds = async (client: ReturnType<RedisServer['client']>) => {
      const [key = ''] = await client.keys(`*:${workshopId}:holds`);
      return Object.keys(await client.hgetall(key)).sort();
    };
    await withClient(async (client) => {
      expect(await holds(client)).toEqual(['2', '3']);
      await client.flushall();
    });
    await redis.restart();

    const next = await said(two, workshopId, 'and on');
    await withClient(async (client) => {
      await until(async () => (await holds(client)).join() === '2,3', { what: 'both to be held again' });
      const streamOfQuiet = async () => (await client.keys(`*:${quiet}:events`)).length === 1;
      await until(streamOfQuiet, { what: 'a workshop that nobody asks for to be put back', timeout: 15_000 });
    });
    expect(next).toBe(version + 1);
    await until(() => knows(three, next), {
      what: 'the other node to tell of it',
      timeout: 10_000,
    });
    const isTold = async () =>
      (await there.rest(1, 'GET', `/api/workshops/${ended}`)).body.status === 'ended';
    await until(isTold, { what: 'the ended one to be told from the tables' });
    const fresh = await liveWorkshop(there, []);
    expect(fresh).toBeGreaterThan(ended);
    await projected(workshopId, next);
    const sql = postgres(databaseUrl, { max: 1 });
    const rows =
      await sql`select version::int from workshop_events where workshop_id = ${workshopId} order by version`;
    const lost =
      await sql`select count(*)::int as n from workshop_events_lost where workshop_id = ${workshopId}`;
    await sql.end();
    expect(rows.map((row) => row.version)).toEqual(Array.from({ length: next }, (_, index) => index + 1));
    expect(lost[0]?.n).toBe(0);
    two.close();
    three.close();
  });
});

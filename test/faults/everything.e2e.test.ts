/** Everything at once, and what lies in Redis spoilt. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { redisEvents } from '../kit/history/read.ts';
import { type PostgresServer, startPostgres } from '../kit/postgres.ts';
import { liveWorkshop, restAt } from '../kit/server.ts';
import { until } from '../kit/until.ts';
import { type Stage, type StagedNode, stage } from './stage.ts';

let postgres: PostgresServer;
let on: Stage;
const spoiltOnes: number[] = [];

beforeAll(async () => {
  postgres = await startPostgres();
  on = await stage({ nodes: [{}, {}], databaseUrl: await postgres.createDatabase() });
}, 60_000);
afterAll(async () => {
  await on?.close();
  await postgres?.close();
});

describe('when everything ends at once', { timeout: 60_000 }, () => {
  it('[F21] all that was acknowledged is there after a restart, and in the tables', async () => {
    const room = await on.gather('F21', 10);
    room.begin(60);
    await on.grows(room, 40);
    await Promise.all([on.redis.kill(), postgres.kill(), ...on.nodes.map((node) => node.kill())]);
    await Promise.all([on.redis.start(), postgres.start()]);
    await Promise.all(on.nodes.map((node) => node.start()));
    await on.grows(room, 20);
    expect((await on.allIsWell([room])).lost).toEqual([]);
  });
});

describe('an event that is spoilt in the log', { timeout: 60_000 }, () => {
  it('[F22] stops its own workshop, and no other', async () => {
    const [here, there] = on.nodes as [StagedNode, StagedNode];
    const rest = restAt(here.url);
    const spoilt = await liveWorkshop({ rest }, [2, 3]);
    spoiltOnes.push(spoilt);
    const [key = ''] = await on.client.keys(`*:${spoilt}:events`);
    const entries = await on.client.xrange(key, '-', '+');
    const writing = on.client.multi().del(key);
    for (const [id, fields] of entries)
      writing.xadd(
        key,
        id,
        ...fields.map((value, n) => (id === '2-0' && n === 13 ? `${value.slice(0, -1)}\u0000` : value)),
      );
    await writing.exec();
    // Whoever has folded it already goes on with what is in memory; whoever reads it anew can't.
    await here.kill();
    await here.start();
    const room = await on.gather('F22', 8);
    room.begin(40);
    await on.grows(room, 20);
    const answer = await rest(1, 'GET', `/api/workshops/${spoilt}`);
    expect([500, 503]).toContain(answer.status);
    expect(answer.body.error.message).not.toContain('JSON');
    await on.grows(room, 20);
    expect((await there.readiness()).status).toBe(200);
    expect((await here.readiness()).status).toBe(200);
    await on.allIsWell([room], { log: () => redisEvents(on.client, spoiltOnes) });
  });

  it('[F22] parks its projection, and no other', async () => {
    const here = on.nodes[0] as StagedNode;
    const rest = restAt(here.url);
    const room = await on.gather('F22, tables', 6);
    room.begin(40);
    await on.grows(room, 10);
    const admin = { id: 99, roles: ['admin'] };
    const parked = async (): Promise<{ workshopId: number }[]> =>
      (await rest(admin, 'GET', '/api/admin/status')).body.projections.parked;
    const spoilt = await liveWorkshop({ rest }, [2]);
    await until(
      async () => (await rest(2, 'GET', `/api/workshops/${spoilt}/attendees`)).body.items?.length > 0,
      {
        what: 'the tables to have the workshop',
        timeout: 10_000,
      },
    );
    const before = (await parked()).length;
    // What no version of this program wrote: data that is no JSON.
    spoiltOnes.push(spoilt);
    const [key = ''] = await on.client.keys(`*:${spoilt}:events`);
    const [feed, partition] = ['feed', 'partition'].map((name) => key.replace(/\d+:events$/, name)) as [
      string,
      string,
    ];
    const meta = key.replace(/events$/, 'meta');
    const version = (await on.client.xlen(key)) + 1;
    const fields = [
      'type',
      'chat-message',
      'schema',
      '1',
      'at',
      String(Date.now()),
      'by',
      '2',
      'command',
      'c',
    ];
    await on.client.xadd(key, `${version}-0`, 'event', 'e', ...fields, 'data', '{"userId":');
    await on.client.hset(meta, 'version', version);
    const seq = await on.client.hincrby(partition, 'seq', 1);
    const epoch = String(await on.client.hget(meta, 'epoch'));
    const entry = [
      'w',
      spoilt,
      'v',
      version,
      'e',
      epoch,
      'at',
      Date.now(),
      'e',
      'chat-message',
      1,
      2,
      'c',
      '{"userId":',
    ];
    await on.client.xadd(feed, `${seq}-0`, ...entry);
    await until(async () => (await parked()).length > before, {
      what: 'the workshop to be parked',
      timeout: 20_000,
    });
    expect((await parked()).map(({ workshopId }) => workshopId)).toContain(spoilt);
    await on.grows(room, 20);
    await on.allIsWell([room], {
      log: () => redisEvents(on.client, spoiltOnes),
    });
  });
});

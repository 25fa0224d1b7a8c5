/** Redis killed, loading, cut short, full, unreachable or replaced by a replica that lagged behind, under rooms full of people. */
import { truncateSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import postgres from 'postgres';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { redisEvents } from '../kit/history/read.ts';
import { networkTo } from '../kit/network.ts';
import { person } from '../kit/person.ts';
import { startRedis } from '../kit/redis.ts';
import type { Gathering } from '../kit/scene.ts';
import { type Guest, guestOn, token } from '../kit/server.ts';
import { until } from '../kit/until.ts';
import { type Stage, type StagedNode, stage } from './stage.ts';

let on: Stage;
let here: StagedNode;

const opened: { close(): unknown }[] = [];

beforeAll(async () => {
  on = await stage({ nodes: [{}, {}] });
  here = on.nodes[0] as StagedNode;
}, 60_000);
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});
afterAll(() => on?.close());

/** Another socket of someone in that room, which says what it is answered instead of asking again. */
async function onlooker(userId: number, { workshopId }: Gathering): Promise<Guest> {
  const guest = guestOn(here.url, userId, { token: await token({ id: userId }) });
  opened.push(guest);
  await until(() => guest.socket.connected, { what: 'the onlooker to be connected' });
  expect(await guest.say('join', { workshopId })).toMatchObject({ ok: true });
  return guest;
}

const isReady = (node: StagedNode) =>
  until(async () => (await node.readiness()).status === 200, {
    what: 'the node to be ready',
    timeout: 10_000,
  });
const isNotReady = (node: StagedNode) =>
  until(async () => (await node.readiness()).status === 503, {
    what: 'the node not to be ready',
    timeout: 10_000,
  });

describe('a Redis that is killed', { timeout: 60_000 }, () => {
  it('[F2] has everything that was acknowledged, and meanwhile commands are refused in time', async () => {
    const room = await on.gather('F2', 10);
    const watch = await onlooker(1, room);
    room.begin(60);
    await on.grows(room, 30);
    await on.redis.kill();
    const asked = performance.now();
    expect(await watch.say('chat', { workshopId: room.workshopId, message: 'anyone?' })).toMatchObject({
      ok: false,
      error: { code: 'unavailable', retryable: true },
    });
    expect(performance.now() - asked).toBeLessThan(4_000);
    await isNotReady(here);
    await on.redis.start();
    await on.grows(room, 30);
    expect((await on.allIsWell([room])).lost).toEqual([]);
    await isReady(here);
  });

  it('[F2] with appendfsync everysec loses nothing unnoticed', async () => {
    const room = await on.gather('F2, everysec', 10);
    await on.client.config('SET', 'appendfsync', 'everysec');
    room.begin(60);
    await on.grows(room, 30);
    await on.redis.kill();
    await on.redis.start();
    await on.grows(room, 30);
    const { lost } = await on.allIsWell([room], { mayLose: true });
    // The system's own cache outlives the process: that takes a power cut, which the next test plays.
    console.log(`F2, everysec: ${lost.length} acknowledged commands were lost`);
  });

  it('[F3] whose file lost its end goes on from what it has, and everyone who saw more is told', async () => {
    const room = await on.gather('F3', 10);
    room.begin(60);
    await on.grows(room, 30);
    // In this order: what the room has by then is in the file.
    const kept = await on.length(room);
    const { size } = await stat(on.redis.appendOnlyFile());
    await on.grows(room, 30);
    await on.redis.kill();
    // In the middle of a command, as a power cut leaves it.
    truncateSync(on.redis.appendOnlyFile(), size + 20);
    await on.redis.start();
    await on.grows(room, 30);
    const { lost } = await on.allIsWell([room], { mayLose: true });
    expect(lost.length).toBeGreaterThan(0);
    expect(Math.min(...lost.map(({ version }) => version))).toBeGreaterThan(kept);
  });

  it('[F3] that takes long to load is waited for', async () => {
    const room = await on.gather('F3, loading', 6);
    for (let n = 0; n < 800; n++) on.client.set(`filler:${n}`, n).catch(() => undefined);
    await on.client.call('BGREWRITEAOF');
    const isRewritten = async () => /aof_rewrite_in_progress:0/.test(await on.client.info('persistence'));
    await until(isRewritten, { what: 'the file to be rewritten' });
    room.begin(30);
    await on.grows(room, 20);
    await on.redis.kill();
    const starting = on.redis.start({
      'key-load-delay': '1000',
      'loading-process-events-interval-bytes': '1024',
    });
    // One that asks at once, and does not wait until all is loaded.
    const impatient = on.redis.client({ enableReadyCheck: false });
    const isLoading = async () => {
      const answer = await impatient.ping().catch((error: Error) => error.message);
      return answer.includes('LOADING');
    };
    await until(isLoading, { what: 'Redis to say that it is loading', timeout: 10_000 });
    await isNotReady(here);
    await starting;
    await on.grows(room, 20);
    await on.allIsWell([room]);
  });
});

describe('a Redis that fails over to a replica which lags behind', { timeout: 90_000 }, () => {
  it('[F4] loses events, and everyone who saw them is told within 5 s; the tables follow', async () => {
    const line = await networkTo(on.redis.url);
    const replica = await startRedis({
      extra: { replicaof: `127.0.0.1 ${new URL(line.url).port}`, 'repl-diskless-sync-delay': '0' },
    });
    const client = replica.client();
    opened.push(replica, line);
    await until(async () => /master_link_status:up/.test(await client.info('replication')), {
      what: 'the replica to be in step',
      timeout: 20_000,
    });
    // Nobody is removed: the one who lies is one of them, and would be out.
    const room = await on.gather('F4', 10, { comings: false });
    // This one will come back and claim that what it saw belongs to the new epoch.
    let claimed = '';
    const liar = person({
      ...{ userId: 3, workshopId: room.workshopId, nodes: [here.url] },
      resumePoint: ({ version, epoch }) => ({ version, epoch: claimed || epoch }),
    });
    opened.push(liar);
    await liar.join();
    room.begin(60);
    await on.grows(room, 30);
    line.swallow();
    await on.grows(room, 40);
    await liar.reaches(await on.length(room));
    const seen = liar.view?.version ?? 0;
    const sql = postgres(on.databaseUrl, { max: 1 });
    opened.push({ close: () => sql.end() });
    const folded = async () => {
      const [row] = await sql`select version from workshops where id = ${room.workshopId}`;
      return Number(row?.version ?? 0);
    };
    await until(async () => (await folded()) >= seen, { what: 'the tables to have what will be lost' });
    await here.kill();
    await on.redis.kill();
    await client.call('REPLICAOF', 'NO', 'ONE');
    const before = new Map(room.people.map((each) => [each, each.epoch]));
    for (const node of on.nodes) node.store.pointTo(replica.url);
    const pointed = performance.now();
    const staying = room.people.filter(({ userId }) => userId % 2 === 1);
    await until(() => staying.every((each) => each.epoch !== before.get(each)), {
      what: 'everyone on the living node to be told of a new epoch',
      timeout: 8_000,
    });
    console.log(`F4: everyone was told after ${Math.round(performance.now() - pointed)} ms`);
    const log = () => redisEvents(client);
    await until(async () => ((await log()).get(room.workshopId)?.length ?? 0) > seen, {
      what: 'the log to grow past what was lost',
      timeout: 20_000,
    });
    claimed = staying[0]?.epoch ?? '';
    await here.start();
    const { lost } = await on.allIsWell([room], { mayLose: true, log, timeout: 20_000 });
    expect(lost.length).toBeGreaterThan(0);
    const [kept] = await sql`select count(*)::int as events from workshop_events_lost
      where workshop_id = ${room.workshopId}`;
    expect(kept?.events).toBeGreaterThan(0);
    // Who is taken at their word has another room than everyone else, and the checker finds it.
    const { violations } = await on.verdict([{ ...room, people: [liar] }], { mayLose: true, log });
    expect(violations.map(({ invariant }) => invariant)).toContain('C3');
  });
});

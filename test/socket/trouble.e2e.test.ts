/** Rooms when things go wrong underneath: on a Redis of the test's own, which it stops, freezes and sets back. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { networkTo } from '../kit/network.ts';
import { type RedisServer, startRedis } from '../kit/redis.ts';
import { type Json, liveWorkshop, type TestServer, testServer } from '../kit/server.ts';
import { migratedPostgres } from '../kit/shared.ts';
import { until } from '../kit/until.ts';

const leaseMs = 3_000;
let redis: RedisServer;
let servers: TestServer[];
let here: TestServer;

beforeAll(async () => {
  redis = await startRedis();
  const settings = {
    ...{ REDIS_URL: redis.url, DATABASE_URL: await migratedPostgres() },
    ...{ PRESENCE_GRACE_MS: '300', PRESENCE_LEASE_MS: String(leaseMs) },
  };
  servers = [await testServer(settings), await testServer(settings)];
  here = servers[0] as TestServer;
}, 30_000);
afterAll(async () => {
  for (const server of servers) await server.close();
  await redis.close();
});

/** Whose presence any node says that it holds. */
async function held(workshopId: number): Promise<string[]> {
  const client = redis.client();
  const [key = ''] = await client.keys(`*:${workshopId}:holds`);
  const users = Object.keys(await client.hgetall(key));
  client.disconnect();
  return users;
}

const present = async (workshopId: number): Promise<number> =>
  (await here.rest(1, 'GET', `/api/workshops/${workshopId}`)).body.attendeeCount;

describe('a room', () => {
  it('[P7] has no ghost of who drops while joining', async () => {
    const people = Array.from({ length: 20 }, (_, n) => 10 + n);
    const workshopId = await liveWorkshop(here, people);
    const guests = await Promise.all(people.map((user, n) => (servers[n % 2] as TestServer).connect(user)));
    for (const guest of guests) {
      guest.socket.emit('workshop:join', { workshopId });
      guest.close();
    }
    await sleep(300);
    await until(async () => (await present(workshopId)) === 0, {
      what: 'everyone to be gone',
      timeout: 10_000,
    });
  });

  it('[P8] tells who is removed while joining, and serves them nothing more', async () => {
    const workshopId = await liveWorkshop(here, [2]);
    const host = await here.connect(1);
    await host.say('join', { workshopId });
    for (let round = 0; round < 20; round++) {
      const two = await (servers[round % 2] as TestServer).connect(2);
      const joining = two.say('join', { workshopId });
      const removing = host.say('remove-user', { workshopId, targetUserId: 2 });
      const [joined] = await Promise.all([joining, removing]);
      if (joined.ok) await two.hears('user-removed');
      const asked = await two.ask('workshop:attendees', { workshopId });
      expect(asked).toMatchObject({ ok: false, error: { code: 'removed' } });
      two.close();
      expect(await host.say('readmit-user', { workshopId, targetUserId: 2 })).toMatchObject({ ok: true });
    }
  });

  it('[P8] serves who is removed nothing more, also of what came in the same moment', async () => {
    const store = await networkTo(redis.url);
    const lagging = await testServer({ REDIS_URL: store.url, DATABASE_URL: await migratedPostgres() });
    try {
      const workshopId = await liveWorkshop(here, [2, 3]);
      const host = await here.connect(1);
      const two = await lagging.connect(2);
      const three = await lagging.connect(3);
      for (const guest of [host, two, three]) {
        await guest.say('join', { workshopId });
        await guest.state();
      }
      store.swallow();
      await host.say('remove-user', { workshopId, targetUserId: 2 });
      await host.say('chat', { workshopId, message: 'gone at last' });
      await host.say('readmit-user', { workshopId, targetUserId: 2 });
      store.mend();
      await three.hears('user-readmitted');
      await two.hears('user-removed');
      await two.ask('workshop:attendees', { workshopId });
      expect(two.all('chat-message')).toEqual([]);
      expect(await two.say('join', { workshopId })).toMatchObject({ ok: true, changed: true });
      await two.hears('state', ({ version }) => version > 8);
      await host.say('chat', { workshopId, message: 'welcome back' });
      expect(await two.hears('chat-message')).toMatchObject({ message: 'welcome back' });
    } finally {
      await lagging.close();
      await store.close();
    }
  });

  it('[P8] serves who is removed while joining nothing more, although they are readmitted at once', {
    timeout: 40_000,
  }, async () => {
    const store = await networkTo(redis.url);
    const lagging = await testServer({ REDIS_URL: store.url, DATABASE_URL: await migratedPostgres() });
    try {
      const workshopId = await liveWorkshop(here, [2]);
      const host = await here.connect(1);
      await host.say('join', { workshopId });
      const before = (await host.state()).version;
      const { epoch } = await host.state();
      // It has read the workshop: a join must not take longer than a command may.
      const first = await lagging.connect(2);
      await first.ask('workshop:attendees', { workshopId });
      first.close();
      // The node hears of what others append one round trip after it, and of its own append after what comes before that: by
      // then all of this has happened.
      store.slow({ latencyMs: 200 });
      for (const after of [undefined, { version: before, epoch }]) {
        const two = await lagging.connect(2);
        const others = setInterval(() => void host.say('chat', { workshopId, message: 'before' }), 100);
        const joining = two.say('join', { workshopId, ...(after && { after }) });
        const seen = host.all('user-joined').length;
        await until(() => host.all('user-joined').length > seen, { what: 'the joining', timeout: 15_000 });
        clearInterval(others);
        await host.say('remove-user', { workshopId, targetUserId: 2 });
        await host.say('chat', { workshopId, message: 'gone at last' });
        await host.say('readmit-user', { workshopId, targetUserId: 2 });
        const joined = await joining;
        expect(joined).toMatchObject({ ok: true, resumed: after !== undefined });
        // Another removal is among what was missed the second time.
        const since = joined.ok ? joined.version : 0;
        const own = ({ userId, version }: Json) => userId === 2 && version > since;
        await two.hears('user-removed', own);
        expect(await two.ask('workshop:attendees', { workshopId })).toMatchObject({
          ok: false,
          error: { code: 'not_joined' },
        });
        // What had been said before the stay may be in a resume; nothing after its end is.
        const last = two.heard.findLast(({ name }) => name !== 'workshop:state');
        expect(last).toMatchObject({ name: 'workshop:user-removed' });
        // A socket that never got in would keep them present for as long as its node lives.
        await until(async () => !(await held(workshopId)).includes('2'), {
          what: 'the hold to be given back',
        });
        two.close();
      }
    } finally {
      await lagging.close();
      await store.close();
    }
  });

  it('[D10] whose log lost its last events gets the state that survived, under a new epoch, and goes on', {
    timeout: 30_000,
  }, async () => {
    const workshopId = await liveWorkshop(here, [2, 3]);
    const two = await here.connect(2);
    const three = await (servers[1] as TestServer).connect(3);
    for (const guest of [two, three]) {
      await guest.say('join', { workshopId });
      await guest.state();
    }
    await two.say('chat', { workshopId, message: 'kept' });
    const client = redis.client();
    const keys = await client.keys('*');
    const dump = await Promise.all(keys.map(async (key) => [key, await client.dumpBuffer(key)] as const));
    for (let n = 0; n < 10; n++) await two.say('chat', { workshopId, message: `lost ${n}` });
    await three.hears('chat-message', ({ message }) => message === 'lost 9');
    // In one step: what is found empty is put back from the database.
    const restoring = client.multi().flushall();
    for (const [key, value] of dump) restoring.restore(key, 0, value);
    await restoring.exec();
    client.disconnect();

    for (const guest of [two, three]) {
      const state = await until(() => guest.all('state')[1], {
        what: `user ${guest.id} to get the state that survived`,
      });
      expect(state.chat.map(({ message }: { message: string }) => message)).toEqual(['kept']);
      expect(state.epoch).not.toBe(guest.all('state')[0].epoch);
    }
    expect(two.all('state')[1].epoch).toBe(three.all('state')[1].epoch);
    const { version } = two.all('state')[1];
    expect(await two.say('chat', { workshopId, message: 'after' })).toMatchObject({
      ok: true,
      version: version + 1,
    });
    expect(await three.hears('chat-message', ({ message }) => message === 'after')).toMatchObject({
      version: version + 1,
    });
    const late = await here.connect(1);
    const after = { version: version + 5, epoch: two.all('state')[0].epoch };
    expect(await late.say('join', { workshopId, after })).toMatchObject({ ok: true, resumed: false });
  });

  it('[P9] records nobody as gone for one lease after its log was away, and answers in time meanwhile', {
    timeout: 60_000,
  }, async () => {
    const workshopId = await liveWorkshop(here, [2, 3]);
    const two = await here.connect(2);
    const three = await here.connect(3);
    for (const guest of [two, three]) await guest.say('join', { workshopId });
    await two.state();
    await redis.kill();
    three.close();
    const asked = performance.now();
    expect(await two.say('chat', { workshopId, message: 'anyone?' })).toMatchObject({
      ok: false,
      error: { code: 'unavailable', retryable: true },
    });
    expect(performance.now() - asked).toBeLessThan(3_500);
    await sleep(1_500);
    await redis.start();
    const back = performance.now();
    await until(async () => (await two.say('chat', { workshopId, message: 'back' })).ok, {
      what: 'the room to go on',
      timeout: 10_000,
    });
    const left = await two.hears('user-left');
    expect(left.userId).toBe(3);
    expect(performance.now() - back).toBeGreaterThan(leaseMs * 0.9);
    expect(two.all('user-left')).toHaveLength(1);
    expect(two.socket.connected).toBe(true);
  });
});

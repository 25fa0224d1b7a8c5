import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RedisCluster, startCluster } from '../kit/cluster.ts';
import { liveWorkshop, type TestServer, testServer } from '../kit/server.ts';
import { migratedPostgres } from '../kit/shared.ts';

let cluster: RedisCluster;
let servers: TestServer[];

beforeAll(async () => {
  cluster = await startCluster();
  const settings = { REDIS_CLUSTER_NODES: cluster.nodes, DATABASE_URL: await migratedPostgres() };
  servers = [await testServer(settings), await testServer(settings)];
}, 60_000);
afterAll(async () => {
  for (const server of servers) await server.close();
  await cluster.close();
});

it('[D11] rooms of every partition are shared by nodes on a Redis Cluster', { timeout: 60_000 }, async () => {
  const [here, there] = servers as [TestServer, TestServer];
  // Neighbouring ids are in neighbouring partitions: ten apart, each of the three masters has some.
  const plan = { title: 'Between', scheduledAt: new Date().toISOString() };
  for (let round = 0; round < 6; round++) {
    for (let n = 0; n < 9; n++) await here.rest(1, 'POST', '/api/workshops', plan);
    const workshopId = await liveWorkshop(here, [2, 3]);
    const two = await here.connect(2);
    const three = await there.connect(3);
    for (const guest of [two, three]) {
      expect(await guest.say('join', { workshopId })).toMatchObject({ ok: true });
      await guest.state();
    }
    await two.say('chat', { workshopId, message: 'across' });
    expect(await three.hears('chat-message')).toEqual(await two.hears('chat-message'));
    const { status, body } = await there.rest(3, 'GET', `/api/workshops/${workshopId}/chat?minVersion=7`);
    expect([status, body.items?.length]).toEqual([200, 1]);
  }
});

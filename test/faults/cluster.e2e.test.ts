/** A Redis Cluster of which one master is killed, while rooms of all of them are busy. */
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RedisCluster, startCluster } from '../kit/cluster.ts';
import { redisEvents } from '../kit/history/read.ts';
import { type Node, startNode } from '../kit/node.ts';
import { type Gathering, gathering, judge } from '../kit/scene.ts';
import { seeded } from '../kit/seeded.ts';
import { restAt } from '../kit/server.ts';
import { sharedPostgres } from '../kit/shared.ts';
import { until } from '../kit/until.ts';

let cluster: RedisCluster;
let nodes: Node[];
let clients: Redis[];
let databaseUrl: string;

beforeAll(async () => {
  [cluster, databaseUrl] = await Promise.all([startCluster(), sharedPostgres()]);
  const env = { REDIS_CLUSTER_NODES: cluster.nodes, DATABASE_URL: databaseUrl };
  nodes = await Promise.all([startNode({ env }), startNode({ env })]);
  clients = cluster.masters.map((master) => master.client());
}, 60_000);
afterAll(async () => {
  for (const node of nodes ?? []) await node.close();
  await cluster?.close();
});

/** Waits until so many more things were done in each of the rooms. */
async function grow(rooms: readonly Gathering[], by: number): Promise<void> {
  const marks = rooms.map((room) => room.done + by);
  await until(() => rooms.every((room, n) => room.done >= (marks[n] ?? 0)), {
    what: `${by} commands more in each room`,
    timeout: 20_000,
  });
}

describe('a master of a cluster that is killed', { timeout: 90_000 }, () => {
  it('[F2] takes its own rooms along for as long as it is away, and no other; nothing that was acknowledged is lost', async () => {
    const urls = nodes.map(({ url }) => url);
    // Ten ids apart: the rooms are in partitions of different masters.
    const rooms: Gathering[] = [];
    const plan = { title: 'Between', scheduledAt: new Date().toISOString() };
    for (const title of ['F2, one', 'F2, two', 'F2, three']) {
      rooms.push(await gathering({ nodes: urls, size: 5, chance: seeded(title) }));
      for (let n = 0; n < 24; n++) await restAt(urls[0] ?? '')(1, 'POST', '/api/workshops', plan);
    }
    try {
      for (const room of rooms) room.begin(20);
      await grow(rooms, 10);
      const [killed] = cluster.masters;
      await killed?.kill();
      await Promise.any(rooms.map((room) => grow([room], 10)));
      await killed?.start();
      await grow(rooms, 10);
      for (const each of clients) await each.script('FLUSH');
      await grow(rooms, 10);
      const log = async () =>
        new Map((await Promise.all(clients.map((each) => redisEvents(each)))).flatMap((all) => [...all]));
      const verdict = await judge({ gatherings: rooms, log, databaseUrl, timeout: 20_000 });
      expect(verdict.violations).toEqual([]);
    } finally {
      for (const room of rooms) room.close();
    }
  });
});

/** A Redis Cluster of which one master is killed, while rooms of all of them are busy: it comes back, or its replica takes over. */
import type { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { selfSigned } from '../kit/certificate.ts';
import { closingAfterEach } from '../kit/closing.ts';
import { startCluster } from '../kit/cluster.ts';
import { type Log, redisEvents } from '../kit/history/read.ts';
import { startNode } from '../kit/node.ts';
import { type Gathering, gathering, judge } from '../kit/scene.ts';
import { seeded } from '../kit/seeded.ts';
import { restAt } from '../kit/server.ts';
import { migratedPostgres } from '../kit/shared.ts';
import { until } from '../kit/until.ts';

const closing = closingAfterEach();

/** Waits until so many more things were done in each of the rooms. */
async function grow(rooms: readonly Gathering[], by: number): Promise<void> {
  const marks = rooms.map((room) => room.done + by);
  await until(() => rooms.every((room, n) => room.done >= (marks[n] ?? 0)), {
    what: `${by} commands more in each room`,
    timeout: 20_000,
  });
}

/** Three rooms whose ids are ten apart: they are in partitions of different masters. */
async function roomsOn(urls: readonly string[], name: string): Promise<Gathering[]> {
  const rooms: Gathering[] = [];
  const plan = { title: 'Between', scheduledAt: new Date().toISOString() };
  for (const title of ['one', 'two', 'three']) {
    rooms.push(closing(await gathering({ nodes: urls, size: 5, chance: seeded(`${name}, ${title}`) })));
    for (let n = 0; n < 24; n++) await restAt(urls[0] ?? '')(1, 'POST', '/api/workshops', plan);
  }
  return rooms;
}

/** What the servers that have slots hold, all together. */
function logOf(clients: readonly Redis[]): () => Promise<Log> {
  return async () =>
    new Map((await Promise.all(clients.map((each) => redisEvents(each)))).flatMap((all) => [...all]));
}

describe('a master of a cluster that is killed', { timeout: 90_000 }, () => {
  it('[F2] takes its own rooms along for as long as it is away, and no other; nothing that was acknowledged is lost', async () => {
    const cluster = closing(await startCluster());
    const databaseUrl = await migratedPostgres();
    const env = { REDIS_CLUSTER_NODES: cluster.nodes, DATABASE_URL: databaseUrl };
    const nodes = [closing(await startNode({ env })), closing(await startNode({ env }))];
    const clients = cluster.masters.map((master) => master.client());
    const rooms = await roomsOn(
      nodes.map(({ url }) => url),
      'F2',
    );
    for (const room of rooms) room.begin(20);
    await grow(rooms, 10);
    const [killed] = cluster.masters;
    await killed?.kill();
    await Promise.any(rooms.map((room) => grow([room], 10)));
    await killed?.start();
    await grow(rooms, 10);
    for (const each of clients) await each.script('FLUSH');
    await grow(rooms, 10);
    const verdict = await judge({
      ...{ gatherings: rooms, log: logOf(clients), databaseUrl, timeout: 20_000 },
    });
    expect(verdict.violations).toEqual([]);
  });

  it('[F34] is replaced by its replica, by TLS and with a user of its own, and all rooms go on', async () => {
    const tls = closing(selfSigned());
    const user = { name: 'workshop', password: 'of the rooms' };
    const cluster = closing(await startCluster({ password: 'of the cluster', user, tls, replica: true }));
    const databaseUrl = await migratedPostgres();
    const env = {
      ...{ REDIS_CLUSTER_NODES: cluster.nodes, REDIS_TLS: 'true', NODE_EXTRA_CA_CERTS: tls.certificate },
      ...{ REDIS_USERNAME: user.name, REDIS_PASSWORD: user.password, DATABASE_URL: databaseUrl },
    };
    const node = closing(await startNode({ env }));
    const rooms = await roomsOn([node.url], 'F34');
    for (const room of rooms) room.begin(20);
    await grow(rooms, 10);
    const [killed, ...others] = cluster.masters;
    await killed?.kill();
    await Promise.any(rooms.map((room) => grow([room], 10)));
    await grow(rooms, 10);
    const left = [...others, cluster.replica].flatMap((server) => server ?? []);
    const clients = left.map((server) => server.client({ password: 'of the cluster' }));
    expect(await clients.at(-1)?.role()).toContain('master');
    // What the old one had not told its replica yet is lost, and the rooms are told so.
    const verdict = await judge({
      ...{ gatherings: rooms, log: logOf(clients), databaseUrl },
      ...{ mayLose: true, timeout: 30_000 },
    });
    expect(verdict.violations).toEqual([]);
  });
});

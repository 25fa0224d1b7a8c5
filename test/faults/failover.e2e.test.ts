/** A primary that another Redis takes the place of, while people are in rooms: told by Sentinels, and by nobody. */
import { describe, expect, it } from 'vitest';
import { closingAfterEach } from '../kit/closing.ts';
import { redisEvents } from '../kit/history/read.ts';
import { networkTo } from '../kit/network.ts';
import { startNode } from '../kit/node.ts';
import { redisClient, startRedis } from '../kit/redis.ts';
import { type Gathering, gathering, judge } from '../kit/scene.ts';
import { seeded } from '../kit/seeded.ts';
import { type SentinelSetup, startSentinels } from '../kit/sentinel.ts';
import { migratedPostgres } from '../kit/shared.ts';
import { until } from '../kit/until.ts';

const closing = closingAfterEach();

async function grows(room: { done: number }, by: number): Promise<void> {
  const mark = room.done + by;
  await until(() => room.done >= mark, { what: `${by} commands more`, timeout: 30_000 });
}

interface Watched {
  redis: SentinelSetup;
  room: Gathering;
  databaseUrl: string;
}

/** People in a room of a node that Sentinels tell of the primary. */
async function watched(name: string): Promise<Watched> {
  const redis = closing(await startSentinels());
  const databaseUrl = await migratedPostgres();
  const node = closing(
    await startNode({
      env: {
        ...{ REDIS_SENTINELS: redis.sentinels, REDIS_SENTINEL_MASTER: redis.master },
        ...{ REDIS_SENTINEL_PASSWORD: redis.sentinelPassword, REDIS_PASSWORD: redis.password },
        DATABASE_URL: databaseUrl,
      },
    }),
  );
  const room = closing(await gathering({ nodes: [node.url], size: 6, chance: seeded(name) }));
  room.begin(20);
  await grows(room, 20);
  return { redis, room, databaseUrl };
}

/** After `fault` another server is the primary, and the room goes on there. */
async function goesOnAfter(fault: () => unknown, { redis, room, databaseUrl }: Watched): Promise<void> {
  const before = await redis.primary();
  await fault();
  await until(async () => (await redis.primary()) !== before, {
    what: 'another primary',
    timeout: 30_000,
  });
  const client = redisClient(await redis.primary());
  closing({ close: () => client.disconnect() });
  await grows(room, 20);
  // What the old one had not told its replica yet is lost, and the room is told so.
  const verdict = await judge({
    ...{ gatherings: [room], log: () => redisEvents(client), databaseUrl },
    ...{ mayLose: true, timeout: 30_000 },
  });
  expect(verdict.violations).toEqual([]);
}

describe('a primary that another Redis takes the place of', { timeout: 90_000 }, () => {
  it('[F30] is found by Sentinels, with passwords of their own, and rooms go on there', async () => {
    const all = await watched('F30');
    await goesOnAfter(() => all.redis.servers[0]?.kill(), all);
  });

  it('[F30] is found although one of the Sentinels answers nobody', async () => {
    const all = await watched('F30 with a frozen Sentinel');
    all.redis.freezeFirst();
    await goesOnAfter(() => all.redis.servers[0]?.kill(), all);
  });

  it('[F30] is found although the former one answers still, and takes itself for the primary', async () => {
    const all = await watched('F30 with two primaries');
    await goesOnAfter(() => all.redis.lockOutOfFirst(), all);
  });

  it('[F31] behind one address is given up although its connections stay open, and the node says what is the matter', async () => {
    const [former, next] = [closing(await startRedis()), closing(await startRedis())];
    const address = closing(await networkTo(former.url));
    const databaseUrl = await migratedPostgres();
    const node = closing(await startNode({ env: { REDIS_URL: address.url, DATABASE_URL: databaseUrl } }));
    const room = closing(await gathering({ nodes: [node.url], size: 6, chance: seeded('F31') }));
    room.begin(20);
    await grows(room, 10);
    const [old, young] = [former.client(), next.client()];
    await young.replicaof('127.0.0.1', former.port);
    await until(async () => /master_link_status:up/.test(await young.info('replication')), {
      what: 'the replica to follow',
      timeout: 20_000,
    });
    // The old one refuses what is written, and nobody has told the node of another one yet.
    await young.replicaof('NO', 'ONE');
    await old.replicaof('127.0.0.1', next.port);
    await until(async () => /read-only replica/.test((await node.readiness()).body), {
      what: 'the node to say that Redis is read-only',
      timeout: 15_000,
    });
    address.pointTo(next.url, 'stay');
    await until(async () => (await node.readiness()).status === 200, {
      what: 'the node to be ready',
      timeout: 15_000,
    });
    await grows(room, 20);
    const verdict = await judge({
      ...{ gatherings: [room], log: () => redisEvents(young), databaseUrl },
      ...{ mayLose: true, timeout: 30_000 },
    });
    expect(verdict.violations).toEqual([]);
  });
});

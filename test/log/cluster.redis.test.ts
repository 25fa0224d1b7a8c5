import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EventLog } from '../../src/log/log.ts';
import { redisLog } from '../../src/log/redis/log.ts';
import { type RedisCluster, startCluster } from '../kit/cluster.ts';
import { logContract } from './contract.ts';

let cluster: RedisCluster;

beforeAll(async () => {
  cluster = await startCluster();
}, 30_000);
afterAll(() => cluster.close());

async function empty(): Promise<void> {
  for (const master of cluster.masters) {
    const client = master.client();
    await client.flushall();
    client.disconnect();
  }
}

function openLog(partitions?: number): Promise<EventLog> {
  const clusterNodes = cluster.masters.map(({ port }) => ({ host: '127.0.0.1', port }));
  return redisLog({
    address: { clusterNodes },
    onError: () => undefined,
    ...(partitions !== undefined && { partitions }),
  });
}

test('[L17] nodes that begin the log on a cluster at once agree on what it rests on', async () => {
  await empty();
  const logs = await Promise.all([16, 32, 64].map(openLog));
  expect(new Set(logs.map((log) => log.partitions)).size).toBe(1);
  for (const log of logs) await log.close();
});

logContract('the log on a Redis Cluster of three masters', async () => {
  await empty();
  const logs = new Set<EventLog>();
  const open = async () => {
    const log = await openLog();
    logs.add(log);
    return log;
  };
  return {
    log: await open(),
    second: open,
    async close() {
      for (const log of logs) await log.close();
    },
  };
});

import { afterAll, beforeAll } from 'vitest';
import { redisLog } from '../../src/log/redis/log.ts';
import { type RedisCluster, startCluster } from '../kit/cluster.ts';
import { logContract } from './contract.ts';

let cluster: RedisCluster;

beforeAll(async () => {
  cluster = await startCluster();
}, 30_000);
afterAll(() => cluster.close());

logContract('the log on a Redis Cluster of three masters', async () => {
  for (const master of cluster.masters) {
    const client = master.client();
    await client.flushall();
    client.disconnect();
  }
  const clusterNodes = cluster.masters.map(({ port }) => ({ host: '127.0.0.1', port }));
  const logs = new Set<Awaited<ReturnType<typeof redisLog>>>();
  const open = async () => {
    const log = await redisLog({ address: { clusterNodes }, onError: () => undefined });
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

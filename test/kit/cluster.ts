/** A real Redis Cluster of three masters on loopback. */
import { type RedisServer, startRedis } from './redis.ts';
import { until } from './until.ts';

export interface RedisCluster {
  /** `host:port` of each master, as `REDIS_CLUSTER_NODES` wants them. */
  nodes: string;
  masters: RedisServer[];
  close(): Promise<void>;
}

const slots = 16_384;
const size = 3;

export async function startCluster(): Promise<RedisCluster> {
  const masters: RedisServer[] = [];
  for (let n = 0; n < size; n++)
    masters.push(await startRedis({ extra: { 'cluster-enabled': 'yes', 'cluster-node-timeout': '2000' } }));
  const clients = masters.map((master) => master.client());
  const [first] = clients;
  try {
    for (const [n, client] of clients.entries()) {
      const range = [Math.ceil((n * slots) / size), Math.ceil(((n + 1) * slots) / size) - 1].map(String);
      await client.call('CLUSTER', 'ADDSLOTSRANGE', ...range);
      await client.call('CLUSTER', 'SET-CONFIG-EPOCH', String(n + 1));
    }
    for (const master of masters.slice(1))
      await first?.call('CLUSTER', 'MEET', '127.0.0.1', String(master.port));
    const isWhole = async () => {
      const told = await Promise.all(clients.map((client) => client.call('CLUSTER', 'INFO')));
      return told.every(
        (text) => /cluster_state:ok/.test(String(text)) && /cluster_known_nodes:3/.test(String(text)),
      );
    };
    await until(isWhole, { what: 'the cluster to be whole', timeout: 15_000 });
  } finally {
    for (const client of clients) client.disconnect();
  }
  return {
    nodes: masters.map(({ port }) => `127.0.0.1:${port}`).join(','),
    masters,
    async close() {
      for (const master of masters) await master.close();
    },
  };
}

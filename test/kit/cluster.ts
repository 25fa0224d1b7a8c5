/** A real Redis Cluster of three masters on loopback, which may ask for a user, a password and TLS, and have a replica. */
import type { Redis } from 'ioredis';
import type { Certificate } from './certificate.ts';
import { type RedisServer, startRedis } from './redis.ts';
import { until } from './until.ts';

export interface RedisCluster {
  /** `host:port` of each master, as `REDIS_CLUSTER_NODES` wants them. */
  nodes: string;
  masters: RedisServer[];
  /** Of the first master, where one was asked for. */
  replica: RedisServer | undefined;
  close(): Promise<void>;
}

export interface ClusterSettings {
  password?: string;
  /** Another user than the default one, who may do everything with this password. */
  user?: { name: string; password: string };
  tls?: Certificate;
  /** Whether the first master has a replica. */
  replica?: boolean;
}

const slots = 16_384;
const size = 3;

export async function startCluster(settings: ClusterSettings = {}): Promise<RedisCluster> {
  const { password, user, tls, replica: isReplicated = false } = settings;
  const servers: RedisServer[] = [];
  for (let n = 0; n < size + (isReplicated ? 1 : 0); n++)
    servers.push(
      await startRedis({
        ...(tls !== undefined && { tls }),
        extra: {
          ...{ 'cluster-enabled': 'yes', 'cluster-node-timeout': '2000' },
          ...(password !== undefined && { requirepass: password, masterauth: password }),
        },
      }),
    );
  const clients = servers.map((server) => server.client(password === undefined ? {} : { password }));
  try {
    if (user !== undefined)
      for (const client of clients)
        await client.call('ACL', 'SETUSER', user.name, 'on', `>${user.password}`, '~*', '&*', '+@all');
    await join(servers, clients);
  } finally {
    for (const client of clients) client.disconnect();
  }
  const masters = servers.slice(0, size);
  return {
    nodes: masters.map(({ port }) => `127.0.0.1:${port}`).join(','),
    masters,
    replica: servers[size],
    async close() {
      for (const server of servers) await server.close();
    },
  };
}

async function join(servers: readonly RedisServer[], clients: readonly Redis[]): Promise<void> {
  const [first] = clients;
  for (const [n, client] of clients.slice(0, size).entries()) {
    const range = [Math.ceil((n * slots) / size), Math.ceil(((n + 1) * slots) / size) - 1].map(String);
    await client.call('CLUSTER', 'ADDSLOTSRANGE', ...range);
    await client.call('CLUSTER', 'SET-CONFIG-EPOCH', String(n + 1));
  }
  for (const server of servers.slice(1))
    await first?.call('CLUSTER', 'MEET', '127.0.0.1', String(server.port));
  const known = `cluster_known_nodes:${servers.length}`;
  const isWhole = async () => {
    const told = await Promise.all(clients.map((client) => client.call('CLUSTER', 'INFO')));
    return told.every((text) => /cluster_state:ok/.test(String(text)) && String(text).includes(known));
  };
  await until(isWhole, { what: 'the cluster to be whole', timeout: 15_000 });
  const replica = clients[size];
  if (replica === undefined) return;
  await replica.call('CLUSTER', 'REPLICATE', String(await first?.call('CLUSTER', 'MYID')));
  const isInStep = async () => /master_link_status:up/.test(await replica.info('replication'));
  await until(isInStep, { what: 'the replica to be in step', timeout: 15_000 });
}

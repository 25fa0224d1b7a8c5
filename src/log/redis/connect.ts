/** Connections to one Redis or to a Redis Cluster, with the settings that the log's promises rest on. */
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { CodedError } from '../../protocol/errors.ts';
import type { Connection } from './scripts.ts';
import { watch } from './watchdog.ts';

export type RedisAddress = { url: string } | { clusterNodes: readonly { host: string; port: number }[] };

const common: RedisOptions = {
  // Off: it makes client and server take turns and costs 40 % on the append script; ioredis pipelines on the wire anyway.
  enableAutoPipelining: false,
  // On, as by default: what was in flight when a connection broke is sent again. Turning it off leaves promises that
  // never settle; sending again is safe because an append carries its command ids and a deadline.
  autoResendUnfulfilledCommands: true,
  connectTimeout: 2_000,
  keepAlive: 10_000,
  retryStrategy: (attempt) => Math.min(50 * 2 ** Math.min(attempt, 6), 2_000) * (0.5 + Math.random() / 2),
};

const profiles = {
  /** Fails fast while Redis is away: whoever asked repeats with the same command id, or says `unavailable`. */
  commands: { enableOfflineQueue: false, maxRetriesPerRequest: 1, commandTimeout: 2_000 },
  /** Reads of streams: a page may take longer, and waiting out a short break is better than failing. */
  reads: { enableOfflineQueue: true, maxRetriesPerRequest: 2, commandTimeout: 5_000 },
  /** Counts of rate limits, which nobody waits for. */
  limits: { enableOfflineQueue: false, maxRetriesPerRequest: 0, commandTimeout: 500 },
  /** Subscriptions, kept for as long as the process lives. */
  doorbell: { enableOfflineQueue: true, maxRetriesPerRequest: null },
} satisfies Record<string, RedisOptions>;

/** Resolves once the connection can be used. Connection errors afterwards are given to `onError` and mended by themselves. */
export async function connect(
  address: RedisAddress,
  profile: keyof typeof profiles,
  onError: (error: Error) => void,
): Promise<Connection> {
  const options: RedisOptions = { ...common, ...profiles[profile], connectionName: `workshop-${profile}` };
  const connection =
    'url' in address
      ? new Redis(address.url, { ...options, lazyConnect: true })
      : new Cluster([...address.clusterNodes], {
          redisOptions: options,
          enableOfflineQueue: options.enableOfflineQueue ?? true,
          clusterRetryStrategy: (attempt) => Math.min(50 * 2 ** Math.min(attempt, 6), 2_000),
          lazyConnect: true,
        });
  connection.on('error', onError);
  try {
    await connection.connect();
    watch(connection);
    return connection;
  } catch (cause) {
    connection.disconnect();
    throw new CodedError('unavailable', `Redis cannot be reached: ${(cause as Error).message}`, { cause });
  }
}

/** Rejects where the Redis may lose what it acknowledged: one that evicts keys, or keeps no append-only file. */
export async function requireDurable(address: RedisAddress, allowVolatile: boolean): Promise<void> {
  const connection = await connect(address, 'commands', () => undefined);
  try {
    const masters = connection instanceof Cluster ? connection.nodes('master') : [connection];
    for (const master of masters) {
      const facts = new Map(
        (await master.info()).split('\r\n').map((line) => {
          const [name = '', value = ''] = line.split(':');
          return [name, value];
        }),
      );
      const policy = facts.get('maxmemory_policy');
      if (policy !== 'noeviction')
        throw new CodedError(
          'unavailable',
          `Redis may evict the log: set maxmemory-policy noeviction (it is ${policy})`,
        );
      if (facts.get('aof_enabled') !== '1' && !allowVolatile)
        throw new CodedError(
          'unavailable',
          'Redis keeps no append-only file: set appendonly yes, or ALLOW_VOLATILE_LOG=true to lose workshops in a restart',
        );
    }
  } finally {
    connection.disconnect();
  }
}

/** Connections to one Redis, to a Redis Cluster or through Sentinels, with the settings that the log's promises rest on. */
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { CodedError } from '../../protocol/errors.ts';
import { backoffMs } from '../../timing/retry.ts';
import type { RedisAddress } from './address.ts';
import type { Connection } from './scripts.ts';
import { watch } from './watchdog.ts';

/** Milliseconds before a connection is tried again: 100, 200, … 2,000, up to a half shorter by chance. */
const retryStrategy = (attempt: number) => backoffMs(attempt, { first: 100, most: 2_000 });

/** How long a Sentinel may take to say where the primary is, in milliseconds. */
const sentinelMs = 1_000;

const common: RedisOptions = {
  // Off: it makes client and server take turns and costs 40 % on the append script; ioredis pipelines on the wire anyway.
  enableAutoPipelining: false,
  // On, as by default: what was in flight when a connection broke is sent again. Turning it off leaves promises that
  // never settle; sending again is safe because an append carries its command ids and a deadline.
  autoResendUnfulfilledCommands: true,
  connectTimeout: 2_000,
  keepAlive: 10_000,
  retryStrategy,
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

/**
 * Resolves once the connection can be used. Connection errors afterwards are given to `onError` and mended by themselves. Rejects with
 * `unavailable` and the cause where nobody answers, what answers is too old, or the sign-in fails.
 */
export async function connect(
  address: RedisAddress,
  profile: keyof typeof profiles,
  onError: (error: Error) => void,
): Promise<Connection> {
  const connection = made(address, {
    ...common,
    ...profiles[profile],
    connectionName: `workshop-${profile}`,
    lazyConnect: true,
  });
  // ioredis rejects with "Connection is closed" whatever the reason; what it reported before is the reason.
  const reported: Error[] = [];
  const report = (error: Error) => {
    reported.push(error);
    onError(error);
  };
  connection.on('error', report);
  try {
    await connection.connect();
    if (profile === 'commands') await requireRedis7(connection);
    connection.off('error', report).on('error', onError);
    watch(connection, JSON.stringify(address), 'sentinels' in address ? address : undefined);
    return connection;
  } catch (cause) {
    connection.disconnect();
    if (cause instanceof CodedError) throw cause;
    throw new CodedError('unavailable', `Redis cannot be reached: ${reasonOf(cause, reported)}`, { cause });
  }
}

function made(address: RedisAddress, options: RedisOptions): Connection {
  if ('url' in address) {
    if (!address.url.startsWith('unix:')) return new Redis(address.url, options);
    const { pathname, searchParams, username, password } = new URL(address.url);
    return new Redis({
      ...options,
      path: decodeURIComponent(pathname),
      db: Number(searchParams.get('db') ?? 0),
      ...(username !== '' && { username: decodeURIComponent(username) }),
      ...(password !== '' && { password: decodeURIComponent(password) }),
    });
  }
  const signIn: RedisOptions = {
    ...(address.username !== undefined && { username: address.username }),
    ...(address.password !== undefined && { password: address.password }),
    ...(address.tls === true && { tls: {} }),
  };
  if ('sentinels' in address)
    return new Redis({
      ...options,
      ...signIn,
      sentinels: [...address.sentinels],
      name: address.master,
      ...(address.sentinelPassword !== undefined && { sentinelPassword: address.sentinelPassword }),
      // They are in the same network and trusted by the same certificates.
      enableTLSForSentinelMode: address.tls === true,
      sentinelRetryStrategy: retryStrategy,
      // One that is frozen takes connections and never answers; the next one is asked.
      sentinelCommandTimeout: sentinelMs,
    });
  return new Cluster([...address.clusterNodes], {
    redisOptions: { ...options, ...signIn },
    enableOfflineQueue: options.enableOfflineQueue ?? true,
    clusterRetryStrategy: retryStrategy,
    // Certificates bear the names that the nodes announce.
    ...(address.tls === true && { dnsLookup: (host, found) => found(null, host) }),
    lazyConnect: true,
  });
}

/** What was wrong, in the words of whoever knows: the server, or the system. */
function reasonOf(cause: unknown, reported: readonly Error[]): string {
  const said = [...reported, cause].map((error) => {
    // A cluster tells of its nodes' errors inside its own.
    const inner = (error as { lastNodeError?: Error } | undefined)?.lastNodeError;
    return inner ?? error;
  });
  const telling = said.find(
    (error) => error instanceof Error && error.message !== '' && !/^Connection is closed/.test(error.message),
  );
  return describe(telling ?? cause);
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as NodeJS.ErrnoException;
  // Several addresses were tried: their errors are inside.
  const [first] = error instanceof AggregateError ? error.errors : [];
  if (error.message === '' && first !== undefined) return describe(first);
  return error.message === '' ? (code ?? error.name) : error.message;
}

const oldest = 7;

/** Scripts with flags came with Redis 7; Valkey, which began after it, counts as its number says. */
async function requireRedis7(connection: Connection): Promise<void> {
  const [server] = connection instanceof Cluster ? connection.nodes('master') : [connection];
  const version = /^redis_version:(\S+)/m.exec((await server?.info('server')) ?? '')?.[1] ?? 'unknown';
  if (Number.parseInt(version, 10) >= oldest) return;
  throw new CodedError(
    'unavailable',
    `Redis ${version} is too old: workshops need Redis ${oldest} or newer, or Valkey`,
  );
}

/** Rejects where the Redis may lose what it acknowledged: one that evicts keys, or keeps no append-only file. */
export async function requireDurable(address: RedisAddress, allowVolatile: boolean): Promise<void> {
  const connection = await connect(address, 'commands', () => undefined);
  try {
    const masters = connection instanceof Cluster ? connection.nodes('master') : [connection];
    for (const master of masters) {
      const facts = factsOf(await master.info());
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

function factsOf(info: string): Map<string, string> {
  return new Map(
    info.split('\r\n').map((line) => {
      const [name = '', value = ''] = line.split(':');
      return [name, value];
    }),
  );
}

/** A real Redis of a primary and a replica, and three Sentinels that watch it and put the replica in the primary's place. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { temporaryFolder } from './folder.ts';
import { freePort } from './ports.ts';
import { type RunningProcess, startProcess } from './process.ts';
import { required } from './programs.js';
import { type RedisServer, startRedis } from './redis.ts';
import { until } from './until.ts';

export interface SentinelSetup {
  /** `host:port` of each, as `REDIS_SENTINELS` wants them. */
  sentinels: string;
  /** As `REDIS_SENTINEL_MASTER` wants it. */
  master: string;
  /** Of the Sentinels, and of the servers. */
  sentinelPassword: string;
  password: string;
  /** The first was the primary at the beginning. */
  servers: RedisServer[];
  /** The url of the primary, as the last of the Sentinels has it now. */
  primary(): Promise<string>;
  /** The first of the Sentinels takes connections and answers nobody; the two others are a majority. */
  freezeFirst(): void;
  /** The Sentinels cannot sign in to the first server any more; who has signed in before does not notice. */
  lockOutOfFirst(): Promise<void>;
  close(): Promise<void>;
}

const master = 'workshops';
const quorum = 2;
const downAfterMs = 1_000;

export async function startSentinels(): Promise<SentinelSetup> {
  const [password, sentinelPassword] = ['a password of servers', 'a password of sentinels'];
  const signIn = { requirepass: password, masterauth: password };
  const first = await startRedis({ extra: signIn });
  const second = await startRedis({ extra: { ...signIn, replicaof: `127.0.0.1 ${first.port}` } });
  const servers = [first, second];
  const folder = temporaryFolder('sentinels');
  const watching: { process: RunningProcess; port: number }[] = [];
  try {
    await isSynchronized(second, password);
    for (let n = 0; n < 3; n++) {
      const port = await freePort();
      const path = join(folder.path, String(n));
      mkdirSync(path);
      // A Sentinel writes what it learns into its own configuration.
      writeFileSync(
        join(path, 'sentinel.conf'),
        [
          ...[`port ${port}`, 'bind 127.0.0.1', `dir ${path}`, `requirepass "${sentinelPassword}"`],
          `sentinel monitor ${master} 127.0.0.1 ${first.port} ${quorum}`,
          `sentinel auth-pass ${master} "${password}"`,
          `sentinel down-after-milliseconds ${master} ${downAfterMs}`,
          ...[`sentinel failover-timeout ${master} 5000`, `sentinel sentinel-pass "${sentinelPassword}"`],
        ].join('\n'),
      );
      const process = await startProcess({
        command: required('redis-server'),
        args: [join(path, 'sentinel.conf'), '--sentinel'],
      });
      watching.push({ process, port });
    }
    const know = async ({ port }: { port: number }) => {
      const client = new Redis({ port, password: sentinelPassword, lazyConnect: true });
      client.on('error', () => undefined);
      try {
        await client.connect();
        const told = (await client.call('SENTINEL', 'MASTER', master)) as string[];
        const fact = (name: string) => told[told.indexOf(name) + 1];
        return fact('num-slaves') === '1' && fact('num-other-sentinels') === '2';
      } catch {
        return false;
      } finally {
        client.disconnect();
      }
    };
    await until(async () => (await Promise.all(watching.map(know))).every(Boolean), {
      what: 'the Sentinels to know each other and the replica',
      timeout: 20_000,
    });
  } catch (error) {
    await close();
    throw error;
  }

  async function close(): Promise<void> {
    for (const { process } of watching) await process.stop();
    for (const server of servers) await server.close();
    await folder.close();
  }

  return {
    sentinels: watching.map(({ port }) => `127.0.0.1:${port}`).join(','),
    ...{ master, sentinelPassword, password, servers, close },
    async primary() {
      const client = new Redis({ port: watching.at(-1)?.port ?? 0, password: sentinelPassword });
      const [host, port] = (await client.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', master)) as string[];
      client.disconnect();
      return `redis://:${encodeURIComponent(password)}@${host}:${port}`;
    },
    freezeFirst: () => watching[0]?.process.signal('SIGSTOP'),
    async lockOutOfFirst() {
      const client = first.client({ password });
      await client.config('SET', 'requirepass', 'another password');
      const list = String(await client.client('LIST'));
      // They are named as `sentinel-<id>-cmd` and `-pubsub`.
      for (const [, id = ''] of list.matchAll(/^id=(\d+) .* name=sentinel-/gm))
        await client.client('KILL', 'ID', id);
      client.disconnect();
    },
  };
}

/** Until the replica has what the primary has, and follows it. */
async function isSynchronized(replica: RedisServer, password: string): Promise<void> {
  const client = replica.client({ password });
  await until(async () => /master_link_status:up/.test(await client.info('replication')), {
    what: 'the replica to follow',
    timeout: 20_000,
  });
  client.disconnect();
}

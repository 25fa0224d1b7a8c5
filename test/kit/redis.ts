/** A real redis-server of a test's own, on a free port and in a folder of its own. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis, type RedisOptions } from 'ioredis';
import type { Certificate } from './certificate.ts';
import { temporaryFolder } from './folder.ts';
import { freePort } from './ports.ts';
import { type Program, type RunningProcess, startProcess } from './process.ts';
import { required } from './programs.js';

export interface RedisSettings {
  /** Whether it keeps an append-only file; true if left out. Without it a restart begins empty. */
  appendonly?: boolean;
  appendfsync?: 'always' | 'everysec' | 'no';
  maxmemoryPolicy?: string;
  /** It takes connections by TLS alone, those of a cluster's other nodes too. */
  tls?: Certificate;
  /** Further lines of redis.conf, such as `{ replicaof: '127.0.0.1 6380' }`. */
  extra?: Record<string, string>;
  /** A folder of the caller's in which it keeps its files, and how to start it there. */
  place?: { path: string; within(program: Program): Program };
}

export interface RedisServer {
  readonly port: number;
  readonly url: string;
  readonly pid: number;
  /** The file to which it appends what is written: of the append-only files the one that grows. */
  appendOnlyFile(): string;
  /** What the server logged since it last started. */
  output(): string;
  isRunning(): boolean;
  /** A client that reconnects by itself and is closed with the server. */
  client(options?: RedisOptions): Redis;
  /** Ends it gracefully (if it runs) and starts it again: same port, same folder. */
  restart(): Promise<void>;
  /** Sends a signal, and waits for the end where the signal means one: SIGKILL if left out. SIGSTOP freezes, SIGCONT thaws. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again after `kill`: same port, same folder, with further lines of redis.conf for this time. */
  start(extra?: Record<string, string>): Promise<void>;
  close(): Promise<void>;
}

/** Databases of the run's shared server; the first only counts which of the others have been handed out. */
export const sharedDatabases = 512;

export async function startRedis(settings: RedisSettings = {}): Promise<RedisServer> {
  const folder = temporaryFolder('redis');
  const { path = folder.path, within = (program: Program) => program } = settings.place ?? {};
  const clients = new Set<Redis>();
  let port = await freePort();
  let server = await firstStart();

  async function launch(extra: Record<string, string> = {}): Promise<RunningProcess> {
    const command = required('redis-server');
    const launched = await startProcess(
      within({
        command,
        args: [...directives({ ...settings, extra: { ...settings.extra, ...extra } }, port), '--dir', path],
      }),
    );
    try {
      await launched.waitFor(/Ready to accept connections/);
    } catch (error) {
      await launched.stop();
      throw error;
    }
    return launched;
  }

  /** Between looking for a free port and taking it somebody else may have taken it: then it is another one. */
  async function firstStart(tries = 3): Promise<RunningProcess> {
    try {
      return await launch();
    } catch (error) {
      const isTaken = error instanceof Error && /Address already in use/.test(error.message);
      if (!isTaken || tries === 1) {
        await folder.close();
        throw error;
      }
      port = await freePort();
      return firstStart(tries - 1);
    }
  }

  return {
    port,
    url: `${settings.tls === undefined ? 'redis' : 'rediss'}://127.0.0.1:${port}`,
    get pid() {
      return server.pid;
    },
    appendOnlyFile() {
      const folder = join(path, 'appendonlydir');
      const number = (file: string) => Number(/\.(\d+)\.incr\.aof$/.exec(file)?.[1] ?? 0);
      const [newest = ''] = readdirSync(folder).sort((one, other) => number(other) - number(one));
      return join(folder, newest);
    },
    output: () => server.output(),
    isRunning: () => server.isRunning(),
    client(options = {}) {
      const tls = settings.tls && { tls: { ca: readFileSync(settings.tls.certificate) } };
      const client = redisClient(`redis://127.0.0.1:${port}`, { ...tls, ...options });
      clients.add(client);
      return client;
    },
    async restart() {
      await server.stop();
      server = await launch();
    },
    async kill(signal = 'SIGKILL') {
      server.signal(signal);
      if (endingSignals.has(signal)) await server.ended;
    },
    async start(extra) {
      if (!server.isRunning()) server = await launch(extra);
    },
    async close() {
      for (const client of clients) client.disconnect();
      await server.stop({ within: 2_000 });
      await folder.close();
    },
  };
}

const endingSignals = new Set<NodeJS.Signals>([
  'SIGKILL',
  'SIGTERM',
  'SIGINT',
  'SIGQUIT',
  'SIGABRT',
  'SIGSEGV',
]);

function directives(settings: RedisSettings, port: number): string[] {
  const { appendonly = true, appendfsync = 'always', maxmemoryPolicy = 'noeviction', extra = {} } = settings;
  const conf: Record<string, string> = {
    ...(settings.tls === undefined ? { port: String(port) } : secured(settings.tls, port)),
    bind: '127.0.0.1',
    save: '',
    appendonly: appendonly ? 'yes' : 'no',
    appendfsync,
    'maxmemory-policy': maxmemoryPolicy,
    ...extra,
  };
  return Object.entries(conf).flatMap(([name, value]) => [`--${name}`, value]);
}

function secured({ certificate, key }: Certificate, port: number): Record<string, string> {
  return {
    ...{ port: '0', 'tls-port': String(port), 'tls-cluster': 'yes', 'tls-replication': 'yes' },
    ...{ 'tls-auth-clients': 'no', 'tls-cert-file': certificate, 'tls-key-file': key },
    'tls-ca-cert-file': certificate,
  };
}

/** A client for a server that tests stop and start: it keeps trying, every 50 ms. The caller ends it with `disconnect()`. */
export function redisClient(url: string, options: RedisOptions = {}): Redis {
  const client = new Redis(url, { retryStrategy: () => 50, maxRetriesPerRequest: null, ...options });
  // Without a listener ioredis prints each broken connection; what that means for a command, its promise tells.
  client.on('error', () => undefined);
  return client;
}

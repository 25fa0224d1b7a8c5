/** A node as a process of its own, `workshop serve`, always at the same address: a test kills, freezes and starts it again. */
import { existsSync, readFileSync } from 'node:fs';
import { dataFolder } from './dataFolder.ts';
import { temporaryFolder } from './folder.ts';
import { freePort } from './ports.ts';
import { type Program, type RunningProcess, startProcess } from './process.ts';
import { program } from './program.ts';
import { secret } from './server.ts';
import { until } from './until.ts';

export interface Node {
  readonly url: string;
  readonly pid: number;
  /** What it wrote since it last started. */
  output(): string;
  isRunning(): boolean;
  /** Ends it without a word. */
  kill(): Promise<void>;
  /** Nothing in it goes on until `thaw`; its connections stay. Resolves when it stands still. */
  freeze(): Promise<void>;
  thaw(): void;
  /** Starts it on the same settings, after `kill` or `stop`, and waits until it serves. */
  start(): Promise<void>;
  /** Ends it as a supervisor would; resolves to its exit code. */
  stop(): Promise<number | null>;
  /** `/readyz` as it is just now; 0 where nobody answers. */
  readiness(): Promise<{ status: number; body: string }>;
  close(): Promise<void>;
}

export interface NodeSettings {
  /** Beside what every node of a test gets. */
  env?: Record<string, string>;
  /** A module that is loaded before the program, such as one that sets its clock wrong. */
  preload?: URL;
  /** How to start it, where that is not the program as it is. */
  within?: (program: Program) => Program;
}

/** How long a node may take to serve on a busy machine. */
const patienceMs = 30_000;

/** Resolves once it serves. Its data folder goes with it. */
export async function startNode({ env = {}, preload, within }: NodeSettings = {}): Promise<Node> {
  const hasOwn = env.DATABASE_URL === undefined && env.DATA_DIR === undefined;
  const folder = await (hasOwn ? dataFolder : temporaryFolder)('node');
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const serving: Program = {
    command: process.execPath,
    args: [...(preload === undefined ? [] : ['--import', preload.href]), program, 'serve', '--json'],
    env: {
      ...{ NODE_ENV: 'test', PORT: String(port), AUTH_SECRET: secret, DATA_DIR: folder.path },
      ...{ REDIS_URL: undefined, REDIS_CLUSTER_NODES: undefined, DATABASE_URL: undefined },
      // Faults are tried under load; what a flood is answered is tried elsewhere.
      ...{ RATE_LIMIT_SCALE: '0', LOG_LEVEL: 'warn' },
      ...{ PRESENCE_GRACE_MS: '1000', PRESENCE_LEASE_MS: '3000' },
      ...env,
    },
  };

  async function launch(): Promise<RunningProcess> {
    const launched = await startProcess(within?.(serving) ?? serving);
    try {
      await launched.waitFor(/"url"/, patienceMs);
      return launched;
    } catch (error) {
      await launched.stop();
      throw error;
    }
  }

  let running: RunningProcess;
  try {
    running = await launch();
  } catch (error) {
    await folder.close();
    throw error;
  }
  return {
    url,
    get pid() {
      return running.pid;
    },
    output: () => running.output(),
    isRunning: () => running.isRunning(),
    async kill() {
      running.signal('SIGKILL');
      await running.ended;
    },
    async freeze() {
      running.signal('SIGSTOP');
      await until(() => isStopped(running.pid), { what: `process ${running.pid} to stand still` });
    },
    thaw: () => running.signal('SIGCONT'),
    async start() {
      if (!running.isRunning()) running = await launch();
    },
    async stop() {
      return (await running.stop({ within: 30_000 })).code;
    },
    async readiness() {
      try {
        const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(5_000) });
        return { status: answer.status, body: await answer.text() };
      } catch {
        return { status: 0, body: '' };
      }
    },
    async close() {
      await running.stop({ within: 5_000 });
      await folder.close();
    },
  };
}

/** As Linux tells; elsewhere a signal is trusted to have arrived. */
function isStopped(pid: number): boolean {
  if (!existsSync('/proc/self/stat')) return true;
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).startsWith('T');
}

/** A child process with its output kept, which a test can wait for, signal and stop, and which never outlives the test. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { until } from './until.ts';

export interface Program {
  command: string;
  args?: readonly string[];
  /** Added to this process' own environment; `undefined` takes a variable away. */
  env?: Record<string, string | undefined>;
  cwd?: string;
  /** Another user to run as, where this process is root. */
  user?: { uid: number; gid: number };
}

/** How a process ended: by its exit code or by a signal. */
export interface Ending {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface RunningProcess {
  readonly pid: number;
  /** Everything that it wrote to stdout and stderr, in order of arrival. */
  output(): string;
  /** What it wrote to stdout alone. */
  stdout(): string;
  isRunning(): boolean;
  /** Settles when it has ended and its output is here. */
  readonly ended: Promise<Ending>;
  /** Waits for a line of its output; throws with the output if the process ends first or `timeout` ms pass (10,000). */
  waitFor(line: RegExp, timeout?: number): Promise<RegExpExecArray>;
  signal(name: NodeJS.Signals): void;
  /** Ends it with `signal` (SIGTERM), and with SIGKILL if it is still there after `within` ms (5,000). May be repeated. */
  stop(options?: { signal?: NodeJS.Signals; within?: number }): Promise<Ending>;
}

/** How long what it wrote at its end may take to arrive, in milliseconds. */
const lastWordsMs = 200;

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts a program; throws if it can't be started at all. Stdin is closed. */
export async function startProcess({ command, args = [], env, cwd, user }: Program): Promise<RunningProcess> {
  const options: SpawnOptions = {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
    ...(cwd !== undefined && { cwd }),
    ...user,
  };
  const child = spawn(...dyingWithUs(command, args), options);
  running.add(child);
  let output = '';
  let stdout = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
    stdout += chunk;
  });
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
  });
  let ending: Ending | undefined;
  const ended = new Promise<Ending>((resolve) => {
    child.once('exit', (code, signal) => {
      running.delete(child);
      const finish = () => {
        clearTimeout(waiting);
        child.stdout?.destroy();
        child.stderr?.destroy();
        ending = { code, signal };
        resolve(ending);
      };
      // A process of its own that it left behind may hold its output open for as long as it likes.
      const waiting = setTimeout(finish, lastWordsMs);
      child.once('close', finish);
    });
  });
  const pid = await new Promise<number>((resolve, reject) => {
    child.once('spawn', () => resolve(child.pid ?? 0));
    child.once('error', (error) => {
      running.delete(child);
      reject(error);
    });
  });
  const hasExited = () => child.exitCode !== null || child.signalCode !== null;

  return {
    pid,
    ended,
    output: () => output,
    stdout: () => stdout,
    isRunning: () => !hasExited(),
    async waitFor(line, timeout = 10_000) {
      const found = await until(() => line.exec(output) ?? ending, {
        what: `${command} (pid ${pid}) to write ${line}`,
        timeout,
      }).catch((error: Error) => {
        throw new Error(`${error.message}\n${output}`);
      });
      if (Array.isArray(found)) return found;
      throw new Error(`${command} ended (${found.signal ?? found.code}) before it wrote ${line}\n${output}`);
    },
    signal(name) {
      if (!hasExited()) process.kill(pid, name);
    },
    async stop({ signal = 'SIGTERM', within = 5_000 } = {}) {
      if (hasExited()) return ended;
      child.kill(signal);
      // A stopped process (SIGSTOP) can't take any other signal than SIGKILL before it goes on.
      child.kill('SIGCONT');
      const killing = setTimeout(() => child.kill('SIGKILL'), within);
      try {
        return await ended;
      } finally {
        clearTimeout(killing);
      }
    },
  };
}

const setpriv = '/usr/bin/setpriv';

/**
 * The exit handler above does not run when the test process itself is killed (the test runner ends its workers with SIGTERM),
 * so the kernel is asked to kill the child with its parent where that is possible. The pid is the program's own: `setpriv`
 * replaces itself by it.
 */
function dyingWithUs(command: string, args: readonly string[]): [string, string[]] {
  if (!existsSync(setpriv)) return [command, [...args]];
  return [setpriv, ['--pdeathsig', 'SIGKILL', '--', command, ...args]];
}

/** The command line, each command in a process of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { startProcess } from './process.ts';
import { program } from './program.ts';
import { redisClient } from './redis.ts';
import { until } from './until.ts';

export type Env = Record<string, string | undefined>;
type Words = readonly (string | number)[];

/** What a command says and how it ends. Stores are those that `env` names. */
export async function runCommand(env: Env, ...words: Words) {
  const running = await startProcess({
    command: process.execPath,
    args: [program, ...words.map(String)],
    env: { REDIS_URL: undefined, DATABASE_URL: undefined, ...env },
  });
  const { code } = await running.ended;
  return { code, out: running.stdout(), all: running.output() };
}

/** How a command ends, and what it complains of, whose reader has seen enough at once. */
export async function runUnread(env: Env, ...words: Words) {
  const child = spawn(process.execPath, [program, ...words.map(String)], {
    env: { ...process.env, REDIS_URL: '', DATABASE_URL: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.destroy();
  let complaint = '';
  child.stderr.on('data', (chunk) => {
    complaint += chunk;
  });
  const [code] = await once(child, 'exit');
  return { code, complaint };
}

/** Takes a workshop's stream out of Redis, and waits until a node that serves it has noticed. */
export async function removeStream(
  redisUrl: string | undefined,
  workshopId: number,
  epoch: () => Promise<string>,
): Promise<void> {
  const redis = redisClient(redisUrl ?? '');
  const keys = await redis.keys(`ws:*:${workshopId}:*`);
  if (keys.length < 2) throw new Error(`there is no stream of workshop ${workshopId}`);
  await redis.del(...keys);
  redis.disconnect();
  await until(async () => (await epoch()) === '', { what: 'the node to see that it is gone' });
}

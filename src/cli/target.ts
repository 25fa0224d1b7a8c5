/**
 * Where `workshop simulate` plays:
 *
 *   --into <url>             ──► that server, with its limits
 *   a folder, server runs    ──► that one
 *   else                     ──► a server of our own on the configured stores, for as long as it takes: without limits, and
 *                                with a grace as much shorter as time is faster
 *
 * Tokens are signed with `AUTH_SECRET`, or with the folder's own secret; else people sign in as guests.
 */
import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import type { Config } from '../config.ts';
import { FolderInUse, secretOf, serverOf } from '../dataFolder.ts';
import { isLoopback } from '../identity/address.ts';
import { CommandFailed } from './command.ts';

export interface Target {
  url: string;
  kind: 'given' | 'running' | 'own';
  /** The server's secret as far as it is known here. */
  secret: string | undefined;
  /** How long a dropped connection is waited for, in milliseconds: known of a server of our own, else as configured here. */
  graceMs: number;
  close(): Promise<void>;
}

export interface Wish {
  into: string | undefined;
  speed: number;
}

export async function openTarget(config: Config, { into, speed }: Wish): Promise<Target> {
  const running = config.embedded ? await serverOf(config.DATA_DIR) : undefined;
  const address = into ?? running?.url;
  if (address === undefined) return ownServer(config, speed);
  const url = reachable(address);
  const isFolders = running !== undefined && sameServer(url, reachable(running.url));
  return {
    url,
    kind: into === undefined ? 'running' : 'given',
    secret: config.AUTH_SECRET ?? (isFolders ? await secretOf(config.DATA_DIR) : undefined),
    graceMs: config.PRESENCE_GRACE_MS,
    close: async () => undefined,
  };
}

/** Coming back takes a connection and a join, which do not get faster with the time of the script. */
const shortestGraceMs = 500;

async function ownServer(config: Config, speed: number): Promise<Target> {
  const graceMs = Math.max(shortestGraceMs, Math.round(config.PRESENCE_GRACE_MS / speed));
  // Where others sign the tokens, this server takes those of this process alone.
  const secret = config.AUTH_JWKS_URL === undefined ? config.AUTH_SECRET : randomBytes(36).toString('hex');
  const own: Config = {
    ...config,
    ...{ PORT: 0, HOST: '127.0.0.1', PUBLIC_URL: undefined, ROLE: 'all', DRAIN_MS: 0 },
    ...{ AUTH_SECRET: secret, AUTH_JWKS_URL: undefined },
    ...{ PRESENCE_GRACE_MS: graceMs, RATE_LIMIT_SCALE: 0 },
  };
  const level = config.LOG_LEVEL === 'info' ? 'error' : config.LOG_LEVEL;
  const logger = pino({ level }, pino.destination({ dest: 2, sync: true }));
  const { startServer } = await import('../server.ts');
  const server = await startServer(own, logger).catch((error: unknown) => {
    if (!(error instanceof FolderInUse)) throw error;
    throw new CommandFailed(
      `${resolve(config.DATA_DIR)} is being opened or closed by another process: try again`,
    );
  });
  const { url } = server.about;
  await untilReady(url);
  return {
    url,
    kind: 'own',
    secret: secret ?? (await secretOf(config.DATA_DIR)),
    graceMs,
    close: () => server.close(),
  };
}

const readyPollMs = 100;
/** Making an embedded database takes seconds of a core, in which nobody could keep time. */
const readyPatienceMs = 30_000;

/** The rooms are served without the tables too: what is not ready by then may follow. */
async function untilReady(url: string): Promise<void> {
  const until = performance.now() + readyPatienceMs;
  while (performance.now() < until) {
    const answer = await fetch(new URL('/readyz', url));
    if (/\bready\b/.test(await answer.text())) return;
    await sleep(readyPollMs);
  }
}

/** Without a path; what listens on every address is asked on this machine's own. */
function reachable(address: string): string {
  const url = new URL(address);
  if (url.hostname === '0.0.0.0' || url.hostname === '[::]') url.hostname = '127.0.0.1';
  return url.origin;
}

function sameServer(one: string, other: string): boolean {
  const [a, b] = [new URL(one), new URL(other)];
  return (
    a.port === b.port && (a.hostname === b.hostname || (isLoopback(a.hostname) && isLoopback(b.hostname)))
  );
}

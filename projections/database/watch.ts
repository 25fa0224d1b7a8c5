/**
 * Watching over a connection that is waited on. A statement may take as long as it takes, so being slow proves nothing: a connection
 * whose packets vanish is told from one whose server works by asking about it on another connection.
 *
 * ```
 *   waiting ──► nothing came or went since the last look ──► asked elsewhere ──► at work: looked at less often
 *      ▲                                                        │  busy, or not to be known: waited for up to the limit
 *      └──── bytes came or went ◄───────────────────────────────┘  lost, or nobody answers there either: twice in a row
 *                                                                  the connection is given up, and what it left on the server ended
 * ```
 */
import type postgres from 'postgres';
import { type Client, signInAt } from './client.ts';
import type { Server } from './server.ts';
import { type Backend, isReadOnlyRefusal } from './session.ts';

export interface Watching {
  server: Server;
  client: Client;
  /** For people: what is waited for. */
  what: string;
  /** What Postgres knows the work by, and that it was asked to begin and did not answer; undefined where it is not known. */
  backend(): Backend | 'beginning' | undefined;
  /** Between two looks, in milliseconds. */
  lookMs: number;
  /** Waiting ends then, whatever is known. */
  limitMs: number;
  giveUp(error: Error): void;
}

/** Looks until what is returned is called. `giveUp` is called once at most. */
export function watch(options: Watching): () => void {
  const { client, lookMs, limitMs, what } = options;
  const began = performance.now();
  let seen = client.traffic();
  let inVain = 0;
  let waitMs = lookMs;
  const over = new AbortController();
  let timer = setTimeout(look, waitMs);

  async function look(): Promise<void> {
    if (performance.now() - began > limitMs)
      return giveUp(`Postgres at ${client.target.shown} did not answer`);
    const found = moved() ? 'moving' : await standing(options, over.signal);
    if (over.signal.aborted) return;
    const reason = moved() ? undefined : inVainFor[found];
    inVain = reason === undefined ? 0 : inVain + 1;
    if (reason !== undefined && inVain === 2) return giveUp(reason(client.target.shown));
    seen = client.traffic();
    waitMs = found === 'working' ? Math.min(2 * waitMs, longestMs) : lookMs;
    timer = setTimeout(look, waitMs);
  }

  const moved = () => client.traffic() !== seen;

  function giveUp(reason: string): void {
    const seconds = Math.round((performance.now() - began) / 100) / 10;
    end();
    options.giveUp(new Error(`${reason}; waited ${seconds} s for ${what}, and gave the connection up`));
    endBackend(options);
  }

  function end(): void {
    over.abort(new Error('nobody waits for it any more'));
    clearTimeout(timer);
  }

  return end;
}

/** Between two looks at a statement that is at work, at most. */
const longestMs = 30_000;

type Found = 'moving' | Standing;
type Standing = 'working' | 'lost' | 'unreachable' | 'unknown';

const inVainFor: Partial<Record<Found, (at: string) => string>> = {
  lost: (at) => `nothing of what Postgres at ${at} says gets through, and it does nothing for us`,
  unreachable: (at) => `Postgres at ${at} answers neither this connection nor a new one`,
};

/** How the work stands, as Postgres tells on another connection. */
async function standing(options: Watching, signal: AbortSignal): Promise<Standing> {
  const backend = options.backend();
  let isHeard = false;
  try {
    const [row] = await askAside(
      options,
      backend === undefined || backend === 'beginning'
        ? `select '${backend ?? 'disabled'}' as state, null as waits_for`
        : `select state, wait_event as waits_for from pg_catalog.pg_stat_activity where ${isStill(backend)}`,
      {
        signal,
        onHeard() {
          isHeard = true;
        },
      },
    );
    // A pooler serves in order: who came later was let begin.
    if (row === undefined || row.state === 'beginning') return 'lost';
    // Whoever may not look is told nothing.
    if (row.state === null || row.state === 'disabled') return 'unknown';
    return String(row.state).startsWith('idle') || row.waits_for === 'ClientRead' ? 'lost' : 'working';
  } catch (error) {
    // Another one has its place by now.
    if (isReadOnlyRefusal(error)) return 'lost';
    // It has no connection left, or is busy: that is no sign of a broken one.
    return isHeard ? 'unknown' : 'unreachable';
  }
}

/** What was left on the server must not keep what it has locked: a COPY that is waited for ends in no other way. */
function endBackend(options: Watching): void {
  const left = options.backend();
  if (left === undefined || left === 'beginning') return;
  askAside(
    options,
    `select pg_catalog.pg_terminate_backend(pid) from pg_catalog.pg_stat_activity where ${isStill(left)}`,
    // Where nobody answers, Postgres ends it by its own limits.
  ).catch(() => undefined);
}

function isStill({ pid, since, of }: Backend): string {
  return `pid = ${pid} and extract(epoch from ${of})::text = '${since}'`;
}

interface Asking {
  /** Ends it: nobody waits for the answer any more. */
  signal?: AbortSignal;
  /** The server said something. */
  onHeard?(): void;
}

/** On a connection to the same server that is made for this question. */
async function askAside(
  { server, client: { target } }: Watching,
  text: string,
  { signal: unasked, onHeard }: Asking = {},
): Promise<postgres.RowList<postgres.Row[]>> {
  const { connectMs } = server.address;
  const late = AbortSignal.timeout(2 * connectMs);
  const signal = unasked === undefined ? late : AbortSignal.any([unasked, late]);
  const limits = { statementMs: connectMs, lockMs: connectMs };
  const client = await signInAt(target, { ...{ server, limits, signal }, ...(onHeard && { onHeard }) });
  const destroy = () => client.destroy();
  signal.addEventListener('abort', destroy);
  try {
    return await client.sql.unsafe(text);
  } finally {
    signal.removeEventListener('abort', destroy);
    void client.end(1);
  }
}

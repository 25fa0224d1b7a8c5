/**
 * A client of postgres.js that has one socket in its life, signed in at the first host that takes writes.
 *
 * The driver itself goes on with a client whose socket ended, on a new one. postgres.js 3.4.9 is not safe in that: what was not
 * written yet when the socket ended stops it from ever writing again, so that each statement waits for `connect_timeout` in
 * vain, and a server that hangs up during the handshake is called again at once and for ever, with the statement neither sent
 * nor rejected (porsager/postgres#1193; docs/decisions/0005).
 */
import type { Socket } from 'node:net';
import postgres from 'postgres';
import { type Host, type ServerAddress, shownHost } from './address.ts';
import { sqlState } from './database.ts';
import { dial, type Target, targetsOf } from './dial.ts';
import type { Server } from './server.ts';
import { type Backend, greet, type Limits, settle, startup, TakesNoWrites } from './session.ts';

export interface Client {
  readonly sql: postgres.Sql;
  readonly target: Target;
  /** Of the connection; undefined behind a pooler, where only a transaction has one. */
  readonly backend: Backend | undefined;
  /** Bytes that came and went so far: where these grow somebody is there. */
  traffic(): number;
  /** Lets the statement under way end, for `seconds`. */
  end(seconds: number): Promise<void>;
  /** At once; what is under way is rejected. */
  destroy(): void;
}

export interface ClientOptions {
  server: Server;
  limits: Limits;
  /** How values are written and read, where not as the driver does. */
  types?: Record<string, postgres.PostgresType> | undefined;
  /** Ends the attempt. */
  signal: AbortSignal;
  /** Told once the socket of the client has ended. */
  onOver?(): void;
  /** Told where an attempt failed after somebody had said something. */
  onHeard?(): void;
}

interface Failure {
  at: string;
  error: unknown;
}

/** Tries all hosts in order. Rejects with what the one host says, or with what each of them says. */
export async function signIn(options: ClientOptions): Promise<Client> {
  const { server, signal } = options;
  const hosts = server.address.hosts.length > 0 ? server.address.hosts : usualHosts();
  const failures: Failure[] = [];
  for (const host of hosts) {
    const late = () => `no address of ${shownHost(host)} was found in time`;
    const found = await within(targetsOf(host), server.address.connectMs, signal, late).catch(
      (error: unknown) => {
        failures.push({ at: shownHost(host), error });
        return [];
      },
    );
    for (const target of found) {
      signal.throwIfAborted();
      try {
        return await signInAt(target, options);
      } catch (error) {
        signal.throwIfAborted();
        failures.push({ at: target.shown, error });
      }
    }
  }
  throw nowhere(failures);
}

/** What the driver takes where none is named: PGHOST and PGPORT, or this machine. */
function usualHosts(): Host[] {
  const { host, port } = postgres({ max: 1 }).options;
  return host.map((each, index) => {
    const at = port[index] ?? 5_432;
    return each.startsWith('/') ? { path: `${each}/.s.PGSQL.${at}` } : { host: each, port: at };
  });
}

function nowhere(failures: readonly Failure[]): unknown {
  const [first] = failures;
  if (failures.length <= 1) return first?.error ?? new Error('Postgres has no address');
  const told = failures.map(({ at, error }) => `${at}: ${error instanceof Error ? error.message : error}`);
  const message = `no Postgres lets us in at any of the hosts: ${told.join('; ')}`;
  // One that answers says more than one that is away.
  const telling = failures.find(({ error }) => sqlState(error) !== undefined) ?? first;
  return new Error(message, { cause: telling?.error });
}

/** At this one, whatever others there are. */
export async function signInAt(target: Target, options: ClientOptions): Promise<Client> {
  const { server, limits, types = {}, signal } = options;
  const { address } = server;
  const failing = new AbortController();
  const ending = AbortSignal.any([signal, failing.signal]);
  let stage = '';
  let isIn = false;
  let socket: Socket | undefined;
  const sql = postgres({
    ...placeOf(target),
    ...account(address),
    connection: startup(address),
    types,
    ssl: false,
    max: 1,
    max_lifetime: null,
    idle_timeout: null,
    // The time for all of it is looked at below.
    connect_timeout: 0,
    keep_alive: keepAliveSeconds,
    fetch_types: false,
    // One statement at a time on the wire: whoever has the connection asks one after the other, and the end of a COPY is told by
    // nothing else (`copyRows` of `postgres.ts`).
    max_pipeline: 0,
    onnotice: () => undefined,
    onclose() {
      failing.abort(new Error('the connection to Postgres ended'));
      // Before that another host may do.
      if (isIn) options.onOver?.();
    },
    async socket() {
      if (socket !== undefined) throw new Error('Postgres hung up while the connection was made');
      socket = await dial(target, { tls: address.tls, signal: ending, onStage: (at) => (stage = at) });
      stage = 'being let in';
      return socket;
    },
  } as unknown as postgres.Options<Record<string, postgres.PostgresType>>); // `socket` is missing in the driver's types

  function destroy(): void {
    socket?.destroy();
    void sql.end({ timeout: 0 });
  }

  async function welcome(): Promise<Backend | undefined> {
    const { isPooled, isStandby, backend } = await greet(sql);
    if (isStandby && server.mustWrite) throw new TakesNoWrites(target.shown);
    if (isPooled) server.isPooled = true;
    // Read by the driver with each statement.
    if (server.isPooled) Object.assign(sql.options, { prepare: false });
    else await settle(sql, limits);
    return backend;
  }

  try {
    const late = () =>
      `Postgres at ${target.shown} did not answer within ${address.connectMs / 1_000} s: ${stage}`;
    const backend = await within(welcome(), address.connectMs, ending, late);
    isIn = true;
    return {
      ...{ sql, target, backend, destroy },
      traffic: () => (socket?.bytesRead ?? 0) + (socket?.bytesWritten ?? 0),
      async end(seconds) {
        await sql.end({ timeout: seconds });
        socket?.destroy();
      },
    };
  } catch (error) {
    if ((socket?.bytesRead ?? 0) > 0) options.onHeard?.();
    failing.abort(error);
    destroy();
    throw error;
  }
}

/** The driver tells of it in its errors; the socket is made by ourselves. */
function placeOf({ address }: Target): object {
  return 'path' in address ? address : { host: [address.host], port: [address.port] };
}

/** Then the system asks whether the other machine is there, and ends the connection ten seconds later where it is not. */
const keepAliveSeconds = 10;

/** What is left out the driver takes from where libpq does: PGUSER, PGPASSWORD, PGDATABASE, the name of the user. */
function account({ user, password, database }: ServerAddress): Record<string, string> {
  return {
    ...(user !== undefined && { user }),
    ...(password !== undefined && { password }),
    ...(database !== undefined && { database }),
  };
}

/** Rejects with what `late` says after so many milliseconds, and with the signal's reason. */
function within<T>(work: Promise<T>, ms: number, signal: AbortSignal, late: () => string): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(late())), ms);
    // The driver's own error says more, where it has one.
    const onAbort = () => setImmediate(() => reject(signal.reason));
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    });
  });
}

/**
 * One connection to Postgres, for one piece of work at a time: made when first used, watched over while it is waited on, and over once
 * its socket ended, once it was given up, or once the server behind it was found to take no writes any more.
 */
import type postgres from 'postgres';
import { type Client, signIn } from './client.ts';
import type { Server } from './server.ts';
import {
  type Backend,
  begin,
  isPoolersRefusal,
  isReadOnlyRefusal,
  isStandbysRefusal,
  type Limits,
  TakesNoWrites,
} from './session.ts';
import { watch } from './watch.ts';

export interface Connection {
  /** When it was made: milliseconds of `performance.now`. */
  readonly madeAt: number;
  readonly isOver: boolean;
  /** Rejects with what the driver says, and once the connection is over. One at a time. */
  use<T>(work: Work<T>): Promise<T>;
  /** Lets the statement under way end, for `seconds`. */
  end(seconds: number): Promise<void>;
}

export type Work<T> = (sql: postgres.Sql, session: Session) => Promise<T>;

export interface Session {
  /**
   * One statement, or several as one, with our settings. Directly it is run as it is; behind a pooler it is a transaction, since
   * what is set before is set for the next one of somebody else.
   */
  single<T>(work: () => PromiseLike<T>): Promise<T>;
  /** A transaction with our settings, wherever we are. */
  transaction<T>(work: () => PromiseLike<T>): Promise<T>;
}

export interface Address {
  /** Of several hosts the first is taken that takes writes. */
  url: string;
  /** What is known of it, shared with others who connect to it; of its own if left out. */
  server?: Server | undefined;
  /** How values are written and read, where not as the driver does. */
  types?: Record<string, postgres.PostgresType> | undefined;
}

export interface Patience {
  /** For people: what its statements are for. */
  what: string;
  limits: Limits;
  /** How long nothing may come before it is looked whether anything can, in milliseconds. */
  lookMs: number;
}

/** `onOver` is told once, when it can't be used any more. */
export function connection(
  server: Server,
  { types }: Address,
  { what, limits, lookMs }: Patience,
  onOver: () => void,
): Connection {
  const { generation } = server;
  const closing = new AbortController();
  let client: Client | undefined;
  let isOver = false;
  let reject: ((error: Error) => void) | undefined;
  let underWay: Promise<unknown> = Promise.resolve();
  /** Of the transaction under way. */
  let transaction: Backend | 'beginning' | undefined;

  function over(error: Error): void {
    if (isOver) return;
    isOver = true;
    onOver();
    // The driver's own error says more, where it has one.
    setImmediate(() => reject?.(error));
  }

  async function opened(): Promise<Client> {
    const onClose = () => over(new Error('the connection to Postgres ended'));
    client ??= await signIn({ server, limits, types, signal: closing.signal, onOver: onClose });
    return client;
  }

  // By ourselves: the driver's own transactions have open defects where a backend is killed inside one.
  async function inTransaction<T>({ sql, target }: Client, work: () => PromiseLike<T>): Promise<T> {
    transaction = 'beginning';
    try {
      transaction = await begin(sql, limits, server.mustWrite).catch((error: unknown) => {
        throw isStandbysRefusal(error) ? new TakesNoWrites(target.shown, { cause: error }) : error;
      });
      const result = await work();
      await sql.unsafe('commit');
      return result;
    } catch (error) {
      if (!isOver) await sql.unsafe('rollback').catch(() => undefined);
      throw error;
    } finally {
      transaction = undefined;
    }
  }

  function sessionOf(opened: Client): Session {
    return {
      single: async (work) => (server.isPooled ? inTransaction(opened, work) : work()),
      transaction: (work) => inTransaction(opened, work),
    };
  }

  /** What a refusal says of the server itself the next connections are to know. */
  function learn(error: unknown): void {
    if (isPoolersRefusal(error)) server.isPooled = true;
    else if (!isReadOnlyRefusal(error)) return;
    else if (server.generation === generation) server.generation++;
    over(new Error('the connection to Postgres was given up'));
    void client?.end(1);
  }

  async function run<T>(work: Work<T>, rejectWith: (error: Error) => void): Promise<T> {
    const ready = await opened();
    const unwatch = watch({
      ...{ server, client: ready, what, lookMs },
      backend: () => ready.backend ?? transaction,
      limitMs: limits.statementMs === 0 ? Number.POSITIVE_INFINITY : limits.statementMs + beyondMs,
      giveUp(error) {
        rejectWith(error);
        over(error);
        ready.destroy();
      },
    });
    try {
      return await work(ready.sql, sessionOf(ready));
    } finally {
      unwatch();
    }
  }

  return {
    madeAt: performance.now(),
    get isOver() {
      return isOver || server.generation !== generation;
    },
    use<T>(work: Work<T>) {
      const used = new Promise<T>((resolve, rejectWith) => {
        reject = rejectWith;
        run(work, rejectWith).then(resolve, (error: Error) => {
          // One that never came about is of no use either.
          if (client === undefined) over(error);
          else learn(error);
          rejectWith(error);
        });
      });
      underWay = used;
      return used;
    },
    async end(seconds) {
      const cut = () => {
        closing.abort(new Error('the database was closed'));
        client?.destroy();
      };
      const timer = setTimeout(cut, 1_000 * seconds);
      await underWay.catch(() => undefined);
      clearTimeout(timer);
      await client?.end(1);
    },
  };
}

/** Postgres ends a statement by itself before that, and says so. */
const beyondMs = 15_000;

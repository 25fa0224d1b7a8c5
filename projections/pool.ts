/** Connections to Postgres that are shared: at most so many, made when needed, each for one piece of work at a time. */
import postgres from 'postgres';
import { type Address, type Connection, connection } from './connection.ts';

export interface Pool {
  /**
   * Gives `work` a connection for itself, once one is free. Rejects with what `work` says, or once that connection is over;
   * whether a statement was run is then unknown.
   */
  run<T>(work: (sql: postgres.Sql) => Promise<T>): Promise<T>;
  /** Lets what is under way end, for five seconds. What waits, or comes later, is rejected. */
  close(): Promise<void>;
}

export interface PoolOptions {
  max: number;
  /** Milliseconds after which a connection is not used again, so that a server that moved is found; an hour if left out. */
  lifetimeMs?: number;
}

interface Waiting {
  resolve(connection: Connection): void;
  reject(error: Error): void;
}

export function pool(address: Address, { max, lifetimeMs = 3_600_000 }: PoolOptions): Pool {
  const all = new Set<Connection>();
  const idle: Connection[] = [];
  const waiting: Waiting[] = [];
  let isClosed = false;

  function connect(): Connection {
    const made = connection(address, () => forget(made));
    all.add(made);
    return made;
  }

  function forget(gone: Connection): void {
    all.delete(gone);
    const index = idle.indexOf(gone);
    if (index >= 0) idle.splice(index, 1);
    next();
  }

  function free(): Connection | undefined {
    return idle.pop() ?? (all.size < max ? connect() : undefined);
  }

  function next(): void {
    if (waiting.length === 0) return;
    const found = free();
    if (found !== undefined) waiting.shift()?.resolve(found);
  }

  async function take(): Promise<Connection> {
    if (isClosed) throw closedError();
    return free() ?? new Promise((resolve, reject) => waiting.push({ resolve, reject }));
  }

  function giveBack(used: Connection, isSound: boolean): void {
    if (used.isOver || isClosed) return;
    if (isSound && performance.now() - used.madeAt < lifetimeMs) {
      idle.push(used);
      next();
    } else {
      forget(used);
      void used.end(1);
    }
  }

  return {
    async run(work) {
      const taken = await take();
      let isSound = true;
      try {
        return await taken.use(work);
      } catch (error) {
        isSound = isAnswer(error);
        throw error;
      } finally {
        giveBack(taken, isSound);
      }
    },
    async close() {
      isClosed = true;
      for (const { reject } of waiting.splice(0)) reject(closedError());
      await Promise.all([...all].map((each) => each.end(5)));
    },
  };
}

/** Whether Postgres refused a statement and goes on with the connection. */
function isAnswer(error: unknown): boolean {
  return error instanceof postgres.PostgresError && error.severity === 'ERROR';
}

function closedError(): Error {
  return new Error('the database was closed');
}

/** Connections to Postgres that are shared: at most so many, made when needed, each for one piece of work at a time. */
import postgres from 'postgres';
import { type Address, type Connection, connection, type Patience, type Work } from './connection.ts';
import { serverAt } from './server.ts';

export interface Pool {
  /**
   * Gives `work` a connection for itself, once one is free. Rejects with what `work` says, or once that connection is over;
   * whether a statement was run is then unknown.
   */
  run<T>(work: Work<T>): Promise<T>;
  /** Lets what is under way end, for five seconds. What waits, or comes later, is rejected. */
  close(): Promise<void>;
}

export interface PoolOptions extends Partial<Patience> {
  max: number;
  /** Milliseconds after which a connection is not used again, so that a server that moved is found; an hour if left out. */
  lifetimeMs?: number;
}

interface Waiting {
  resolve(connection: Connection): void;
  reject(error: Error): void;
}

export function pool(address: Address, { max, lifetimeMs = 3_600_000, ...options }: PoolOptions): Pool {
  const { server = serverAt(address.url) } = address;
  const patience = { ...usualPatience, ...options };
  const all = new Set<Connection>();
  const idle: Connection[] = [];
  const waiting: Waiting[] = [];
  let isClosed = false;

  function connect(): Connection {
    const made = connection(server, address, patience, () => forget(made));
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
    for (let found = idle.pop(); found !== undefined; found = idle.pop()) {
      if (!found.isOver) return found;
      letGo(found);
    }
    return all.size < max ? connect() : undefined;
  }

  function letGo(used: Connection): void {
    all.delete(used);
    void used.end(1);
  }

  function next(): void {
    if (waiting.length === 0) return;
    const found = free();
    if (found !== undefined) waiting.shift()?.resolve(found);
  }

  async function take(): Promise<Connection> {
    if (isClosed) throw closedError();
    return free() ?? queued();
  }

  function queued(): Promise<Connection> {
    const { what, limits } = patience;
    return new Promise((resolve, reject) => {
      const waits: Waiting = {
        resolve(connection) {
          clearTimeout(timer);
          resolve(connection);
        },
        reject(error) {
          clearTimeout(timer);
          reject(error);
        },
      };
      const giveUp = () => {
        waiting.splice(waiting.indexOf(waits), 1);
        const seconds = limits.statementMs / 1_000;
        reject(new Error(`no connection to Postgres was free for ${seconds} s: waited for ${what}`));
      };
      const timer = limits.statementMs === 0 ? undefined : setTimeout(giveUp, limits.statementMs);
      waiting.push(waits);
    });
  }

  function giveBack(used: Connection, isSound: boolean): void {
    if (!all.has(used) || isClosed) return;
    if (isSound && !used.isOver && performance.now() - used.madeAt < lifetimeMs) {
      idle.push(used);
      next();
    } else {
      letGo(used);
      next();
    }
  }

  return {
    async run(work) {
      const borrowed = await take();
      let isSound = true;
      try {
        return await borrowed.use(work);
      } catch (error) {
        isSound = isAnswer(error);
        throw error;
      } finally {
        giveBack(borrowed, isSound);
      }
    },
    async close() {
      isClosed = true;
      for (const { reject } of waiting.splice(0)) reject(closedError());
      await Promise.all([...all].map((each) => each.end(5)));
    },
  };
}

const usualPatience: Patience = {
  what: 'a statement',
  limits: { statementMs: 60_000, lockMs: 30_000 },
  lookMs: 4_000,
};

/** Whether Postgres refused a statement and goes on with the connection. */
function isAnswer(error: unknown): boolean {
  return error instanceof postgres.PostgresError && error.severity === 'ERROR';
}

function closedError(): Error {
  return new Error('the database was closed');
}

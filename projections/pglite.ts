/**
 * PGlite behind the interface of the database. It holds nothing that the log does not, so a folder that does not open or
 * migrate is thrown away and made anew; the projector fills it again.
 *
 *   opening ──► open ──(the thread dies)──► opening
 *      └──(does not open)──► thrown away ──► opening
 */
import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { drizzle } from 'drizzle-orm/pg-proxy';
import { parseInstant } from './columns.ts';
import type { Database, DatabaseOptions, Drizzle, Parameter, Row } from './database.ts';

interface Answer {
  id: number;
  rows?: unknown[];
  /** Names of the columns that are instants, as text. */
  instants?: string[];
  error?: { message: string; code?: string };
}

interface Question {
  text: string;
  parameters: readonly unknown[];
  rowMode: 'object' | 'array';
  /** What COPY finds as `/dev/blob`. */
  lines?: string;
}

interface Waiting {
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

interface Thread {
  ask(question: Question): Promise<Answer>;
  close(): Promise<void>;
}

const reopenMs = 1_000;

export function openPglite(folder: string, migrationsFolder: string, { onError }: DatabaseOptions): Database {
  const closing = new AbortController();
  let thread = open();
  const ready = new Promise<void>((resolve) => keepTrying(resolve));

  /** A disk that is full now may have room later. */
  function keepTrying(opened: () => void): void {
    thread.then(opened, (error: unknown) => {
      if (closing.signal.aborted) return;
      onError(error);
      thread = later(open);
      keepTrying(opened);
    });
  }

  async function open(): Promise<Thread> {
    await mkdir(dirname(folder), { recursive: true });
    closing.signal.throwIfAborted();
    const isNew = !existsSync(folder);
    try {
      return await startThread({ folder, migrationsFolder }, died, closing.signal);
    } catch (error) {
      if (closing.signal.aborted) {
        // Half made is no use to the next one.
        if (isNew) await rm(folder, { recursive: true, force: true });
        throw error;
      }
      onError(
        new Error('the projections in the data folder are damaged; they are rebuilt', { cause: error }),
      );
      await rm(folder, { recursive: true, force: true });
      return startThread({ folder, migrationsFolder }, died, closing.signal);
    }
  }

  function died(error: Error): void {
    if (closing.signal.aborted) return;
    onError(error);
    thread = later(open);
    keepTrying(() => undefined);
  }

  async function ask(question: Question): Promise<Answer> {
    const open = await thread;
    return open.ask(question);
  }

  async function query(text: string, parameters: readonly Parameter[]): Promise<Row[]> {
    const { rows = [], instants = [] } = await ask({ text, parameters, rowMode: 'object' });
    return (rows as Row[]).map((row) => withInstants(row, instants));
  }

  return {
    kind: 'pglite',
    ready,
    query,
    async copy({ into, lines, check, parameters }) {
      await ask({ text: `copy ${into} from '/dev/blob'`, parameters: [], rowMode: 'object', lines });
      return query(check, parameters);
    },
    // Its drivers differ in what `execute` returns, which is not used.
    drizzle: drizzle(async (text, parameters) => {
      const { rows = [] } = await ask({ text, parameters, rowMode: 'array' });
      return { rows };
    }) as unknown as Drizzle,
    async close() {
      closing.abort();
      await thread.then((open) => open.close()).catch(() => undefined);
    },
  };
}

function later<T>(work: () => Promise<T>): Promise<T> {
  return new Promise<void>((resolve) => setTimeout(resolve, reopenMs)).then(work);
}

function withInstants(row: Row, instants: readonly string[]): Row {
  for (const name of instants) {
    const text = row[name];
    if (typeof text === 'string') row[name] = parseInstant(text);
  }
  return row;
}

/** Resolves once the database is open; rejects if it is closed before. `died` is told when the thread ends without having been asked to. */
function startThread(
  workerData: object,
  died: (error: Error) => void,
  closing: AbortSignal,
): Promise<Thread> {
  const worker = new Worker(new URL('./pglite.worker.js', import.meta.url), { workerData });
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  let failure: Error | undefined;
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));

  const thread: Thread = {
    ask(question) {
      if (failure !== undefined) return Promise.reject(failure);
      return new Promise((resolve, reject) => {
        const id = ++lastId;
        waiting.set(id, { resolve, reject });
        worker.postMessage({ id, ...question });
      });
    },
    async close() {
      worker.off('exit', onExit);
      worker.postMessage({});
      await ended;
    },
  };

  function onExit(): void {
    failure ??= new Error('the thread of the embedded database ended');
    for (const { reject } of waiting.values()) reject(failure);
    waiting.clear();
    died(failure);
  }

  return new Promise((opened, reject) => {
    // Making a new database takes seconds, and whoever closes does not wait for it.
    const giveUp = () => void worker.terminate().then(() => reject(new Error('closed while opening')));
    closing.addEventListener('abort', giveUp, { once: true });
    worker.once('message', () => {
      closing.removeEventListener('abort', giveUp);
      worker.off('error', reject);
      worker.on('error', (error) => {
        failure = error;
      });
      worker.on('exit', onExit);
      worker.on('message', (answer: Answer) => {
        const asked = waiting.get(answer.id);
        waiting.delete(answer.id);
        if (answer.error === undefined) asked?.resolve(answer);
        else asked?.reject(Object.assign(new Error(answer.error.message), { code: answer.error.code }));
      });
      opened(thread);
    });
    worker.once('error', reject);
  });
}

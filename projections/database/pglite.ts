/**
 * PGlite behind the interface of the database. What it holds is in the log, or noted beside it (`onOpened`), so a folder that is
 * damaged is thrown away and made again; the projector fills it.
 *
 * ```
 *   opening ────────────────────────────► open ──► closed
 *    ▲ ▲ │ does not open, twice             │ the thread dies
 *    │ │ ├──► damaged: thrown away,         │
 *    │ └─┼─── made again                    │
 *    │   └──► may pass (`passing.ts`): told │
 *    └─────── after a pause ◄───────────────┘
 * ```
 */
import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pause, retrying } from '../../src/timing/retry.ts';
import { parseInstant } from './columns.ts';
import { type Database, type DatabaseOptions, drizzleOn, type Parameter, type Row } from './database.ts';
import { requireTables } from './fitness.ts';
import { passingReason } from './passing.ts';
import { type Answer, type Question, startThread, type Thread, type ThreadOptions } from './pgliteThread.ts';

/** Bounds of the pauses before a database is opened again that did not open, or died, in milliseconds. */
const reopen = { first: 1_000, most: 30_000 };

export function openPglite(
  folder: string,
  migrationsFolder: string,
  { onError, onOpened = async () => undefined }: DatabaseOptions,
): Database {
  const closing = new AbortController();
  const { signal } = closing;
  /** Of the last try to open it: what is asked while it is under way waits for it. */
  let thread: Promise<Thread>;

  /** Until it opens: a disk that is full now may have room later. */
  async function keepOpening(firstAfterMs: number): Promise<void> {
    let waitMs = firstAfterMs;
    const attempt = () => {
      thread = opened(waitMs);
      waitMs = Math.min(Math.max(2 * waitMs, reopen.first), reopen.most);
      return thread;
    };
    await retrying(attempt, { signal, onError, pauses: { first: 0, most: 0 } });
  }

  async function opened(afterMs: number): Promise<Thread> {
    if (afterMs > 0) await pause(afterMs, signal);
    const made = await openFolder({ folder, migrationsFolder, signal, onDied, onError });
    try {
      await onOpened((text, parameters) => rowsOf(made, text, parameters));
      return made;
    } catch (error) {
      await made.close();
      throw error;
    }
  }

  function onDied(error: Error): void {
    if (signal.aborted) return;
    onError(error);
    keepOpening(reopen.first).catch(() => undefined);
  }

  async function ask(question: Question): Promise<Answer> {
    return (await thread).ask(question);
  }

  const query: Database['query'] = async (text, parameters) => rowsOf(await thread, text, parameters);

  async function values(text: string, parameters: unknown[]): Promise<unknown[]> {
    const { rows = [] } = await ask({ text, parameters, rowMode: 'array' });
    return rows;
  }

  const ready = keepOpening(0);
  // Whoever closes before that has no use for the answer.
  ready.catch(() => undefined);
  return {
    kind: 'pglite',
    ready,
    async check() {
      await ready;
      await requireTables((text) => query(text, []), migrationsFolder);
    },
    query,
    read: query,
    async copy({ into, lines, check, parameters }) {
      await ask({ text: `copy ${into} from '/dev/blob'`, parameters: [], rowMode: 'object', lines });
      return query(check, parameters);
    },
    values,
    drizzle: drizzleOn(values),
    async close() {
      closing.abort(new Error('the database was closed'));
      await thread.then((open) => open.close()).catch(() => undefined);
    },
  };
}

async function rowsOf(thread: Thread, text: string, parameters: readonly Parameter[]): Promise<Row[]> {
  const { rows = [], instants = [] } = await thread.ask({ text, parameters, rowMode: 'object' });
  return (rows as Row[]).map((row) => withInstants(row, instants));
}

interface Folder extends DatabaseOptions {
  folder: string;
  migrationsFolder: string;
  signal: AbortSignal;
  onDied(error: Error): void;
}

async function openFolder({ onError, ...options }: Folder): Promise<Thread> {
  const { folder, signal } = options;
  await mkdir(dirname(folder), { recursive: true });
  signal.throwIfAborted();
  const isNew = !existsSync(folder);
  try {
    return await startThread(options).catch((error: unknown) => afterTrouble(error, options));
  } catch (error) {
    // Half made is no use to the next one.
    if (isNew) await rm(folder, { recursive: true, force: true });
    if (isNew || !(error instanceof Damaged)) throw error;
    onError(error);
    await rm(folder, { recursive: true, force: true });
    return startThread(options);
  }
}

class Damaged extends Error {
  override name = 'Damaged';
}

/** Tries once more what failed for no reason that can be seen: it may have passed by then. */
async function afterTrouble(error: unknown, options: ThreadOptions): Promise<Thread> {
  await requireNoReason(error, options);
  try {
    return await startThread(options);
  } catch (again) {
    await requireNoReason(again, options);
    throw new Damaged('the projections in the data folder are damaged; they are rebuilt', { cause: again });
  }
}

async function requireNoReason(error: unknown, { folder, signal }: ThreadOptions): Promise<void> {
  if (signal.aborted) throw error;
  const reason = await passingReason(error, folder);
  if (reason === undefined) return;
  throw new Error(`the projections in the data folder cannot be opened for now: ${reason}`, { cause: error });
}

function withInstants(row: Row, instants: readonly string[]): Row {
  for (const name of instants) {
    const text = row[name];
    if (typeof text === 'string') row[name] = parseInstant(text);
  }
  return row;
}

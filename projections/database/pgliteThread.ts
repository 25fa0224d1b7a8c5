/** The thread on which PGlite runs, and how it is asked; see `pglite.worker.js`. */
import { Worker } from 'node:worker_threads';

export interface Question {
  text: string;
  parameters: readonly unknown[];
  rowMode: 'object' | 'array';
  /** What COPY finds as `/dev/blob`. */
  lines?: string;
}

export interface Answer {
  id: number;
  rows?: unknown[];
  /** Names of the columns that are instants, as text. */
  instants?: string[];
  error?: { message: string; code?: string };
}

export interface Thread {
  /** Rejects with what PGlite says, and where the thread dies. */
  ask(question: Question): Promise<Answer>;
  close(): Promise<void>;
}

export interface ThreadOptions {
  folder: string;
  migrationsFolder: string;
  /** A packed folder of a new database; the installed one where it is left out. */
  template?: string | undefined;
  /** It is not waited for any more. */
  signal: AbortSignal;
  /** Told once, where the open database's thread ends without having been asked to. */
  onDied(error: Error): void;
}

/** Resolves once the database is open; rejects where it does not open, or is not waited for any more. */
export async function startThread({ signal, onDied, ...workerData }: ThreadOptions): Promise<Thread> {
  const worker = new Worker(new URL('./pglite.worker.js', import.meta.url), { workerData });
  await opened(worker, signal);
  return asked(worker, onDied);
}

function opened(worker: Worker, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    // Making a new database takes seconds, and whoever closes does not wait for it.
    const giveUp = () => void worker.terminate().then(() => failed(new Error('closed while opening')));
    // One that ends by itself may have nothing to say.
    const ended = (code: number) =>
      failed(new Error(`the thread of the embedded database ended with ${code} before it was open`));
    const settled = () => {
      signal.removeEventListener('abort', giveUp);
      worker.off('message', isOpen).off('error', failed).off('exit', ended);
    };
    function isOpen(): void {
      settled();
      resolve();
    }
    function failed(error: Error): void {
      settled();
      reject(error);
    }
    signal.addEventListener('abort', giveUp, { once: true });
    worker.on('message', isOpen).on('error', failed).on('exit', ended);
  });
}

interface Waiting {
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

function asked(worker: Worker, onDied: (error: Error) => void): Thread {
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  let failure: Error | undefined;
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));

  function onExit(): void {
    failure ??= new Error('the thread of the embedded database ended');
    for (const { reject } of waiting.values()) reject(failure);
    waiting.clear();
    onDied(failure);
  }

  function onAnswer(answer: Answer): void {
    const question = waiting.get(answer.id);
    waiting.delete(answer.id);
    const { error } = answer;
    if (error === undefined) question?.resolve(answer);
    else question?.reject(Object.assign(new Error(error.message), { code: error.code }));
  }

  worker.on('message', onAnswer);
  worker.on('exit', onExit);
  worker.on('error', (error) => {
    failure = error;
  });
  return {
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
}

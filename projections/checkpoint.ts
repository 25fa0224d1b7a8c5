/**
 * Writing batches. One statement is under way at a time; what partitions hand in meanwhile goes into the next one, so that
 * many partitions under light load share a commit. An answer that was lost is looked up in the checkpoint.
 */
import { type Database, isRefusal } from './database.ts';
import { places } from './leases.ts';
import { retrying } from './retry.ts';
import { type Commit, commitStatement } from './statement.ts';

export type Outcome =
  | { kind: 'committed'; ms: number }
  /** Postgres does not take some row, and says so each time. Nothing was written. */
  | { kind: 'refused'; error: unknown }
  /** The partition has another owner now. Nothing was written. */
  | { kind: 'fenced' };

export interface Checkpoint {
  /** One at a time for a partition. Rejects where the signal ended it: it may then have been written or not. */
  commit(commit: Commit): Promise<Outcome>;
}

export interface CheckpointOptions {
  database: Database;
  /** Events to a statement, roughly. */
  batchSize: number;
  signal: AbortSignal;
  onError(error: unknown): void;
}

interface Waiting {
  commit: Commit;
  resolve(outcome: Outcome): void;
  reject(error: unknown): void;
}

export function checkpoint({ database, batchSize, signal, onError }: CheckpointOptions): Checkpoint {
  const queue: Waiting[] = [];
  let writing = false;

  async function work(): Promise<void> {
    writing = true;
    while (queue.length > 0) await write(nextGroup());
    writing = false;
  }

  function nextGroup(): Waiting[] {
    let events = 0;
    let count = 0;
    for (const { commit } of queue) {
      events += commit.changes.events.length;
      if (count > 0 && events > batchSize) break;
      count++;
    }
    return queue.splice(0, count);
  }

  /** Settles every one of the group. */
  async function write(group: Waiting[]): Promise<void> {
    const started = performance.now();
    let open = group;
    let unsure = false;

    const settle = (committed: (commit: Commit) => boolean | undefined) => {
      open = open.filter(({ commit, resolve }) => {
        const answer = committed(commit);
        if (answer === undefined) return true;
        resolve(answer ? { kind: 'committed', ms: performance.now() - started } : { kind: 'fenced' });
        return false;
      });
    };

    async function lookUp(): Promise<void> {
      const found = await places(
        database,
        open.map(({ commit }) => commit.partition),
      );
      settle((commit) => {
        const place = found.get(commit.partition);
        if (place === undefined || place.fence !== commit.fence) return false;
        if (place.commits === commit.commits) return undefined;
        return place.commits === commit.commits + 1;
      });
      unsure = false;
    }

    async function attempt(): Promise<void> {
      while (open.length > 0) {
        if (unsure) await lookUp();
        if (open.length === 0) return;
        const { text, parameters } = commitStatement(open.map(({ commit }) => commit));
        unsure = true;
        const rows = await database.query(text, parameters);
        const written = new Set(rows.map((row) => Number(row.partition)));
        // One that was not written is another owner's, or an earlier statement of ours did get through after all.
        settle((commit) => (written.has(commit.partition) ? true : undefined));
      }
    }

    try {
      await retrying(attempt, { signal, onError, isFinal: isRefusal });
    } catch (error) {
      if (!isRefusal(error)) for (const { reject } of open) reject(error);
      else if (open.length === 1) for (const { resolve } of open) resolve({ kind: 'refused', error });
      else for (const each of open) await write([each]);
    }
  }

  return {
    commit: (commit) =>
      new Promise((resolve, reject) => {
        queue.push({ commit, resolve, reject });
        // Partitions that were woken in the same turn of the loop go together.
        if (!writing) {
          writing = true;
          setImmediate(work);
        }
      }),
  };
}

/**
 * Writing batches. One statement is under way at a time; what partitions hand in meanwhile goes into the next one, so that
 * many partitions under light load share a commit.
 *
 * ```
 *   commit ──► queued ──► sent, with all that wait ──► committed, or fenced
 *                         ▲         │ no answer           ▲
 *                         └─ again ─┴─► unsure ─► looked up in the checkpoint
 *                                   │ refused
 *                                   └──► sent one by one: all but the one that is to blame are committed
 * ```
 */
import { retrying } from '../../src/timing/retry.ts';
import { type Database, isRefusal } from '../database/database.ts';
import { checkpointsOf } from './leases.ts';
import { type Commit, commitStatement } from './statement.ts';

export type Outcome =
  | { kind: 'committed'; ms: number }
  /** Postgres does not take some row, and says so each time. Nothing was written. */
  | { kind: 'refused'; error: unknown }
  /** The partition has another owner now. Nothing was written. */
  | { kind: 'fenced' };

export interface CommitQueue {
  /** One at a time for a partition. Rejects where the signal ended it: it may then have been written or not. */
  commit(commit: Commit): Promise<Outcome>;
}

export interface CommitQueueOptions {
  database: Database;
  /** Events to a statement, roughly. */
  batchSize: number;
  signal: AbortSignal;
  onError(error: unknown): void;
}

export function commitQueue(options: CommitQueueOptions): CommitQueue {
  const queue: Queued[] = [];
  let isWriting = false;

  async function work(): Promise<void> {
    while (queue.length > 0) await write(options, groupOf(takeNext(queue, options.batchSize)));
    isWriting = false;
  }

  return {
    commit: (commit) =>
      new Promise((resolve, reject) => {
        queue.push({ commit, resolve, reject });
        if (isWriting) return;
        isWriting = true;
        // Partitions that were woken in the same turn of the loop go together.
        setImmediate(work);
      }),
  };
}

interface Queued {
  commit: Commit;
  resolve(outcome: Outcome): void;
  reject(error: unknown): void;
}

function takeNext(queue: Queued[], batchSize: number): Queued[] {
  let events = 0;
  let count = 0;
  for (const { commit } of queue) {
    events += commit.changes.events.length;
    if (count > 0 && events > batchSize) break;
    count++;
  }
  return queue.splice(0, count);
}

/** Commits that are written by one statement. */
interface Group {
  startedAt: number;
  /** Those that nothing has come of yet. */
  open: Queued[];
  /** A statement was sent and not answered: it may have been run, or run later. */
  isUnsure: boolean;
}

function groupOf(open: Queued[]): Group {
  return { startedAt: performance.now(), open, isUnsure: false };
}

/** Settles every one of the group. */
async function write(options: CommitQueueOptions, group: Group): Promise<void> {
  const { database, signal, onError } = options;
  try {
    await retrying(() => send(database, group), { signal, onError, isFinal: isRefusal });
  } catch (error) {
    if (!isRefusal(error)) for (const { reject } of group.open) reject(error);
    else if (group.open.length === 1)
      for (const { resolve } of group.open) resolve({ kind: 'refused', error });
    else for (const each of group.open) await write(options, groupOf([each]));
  }
}

/** Until all of the group are settled. Rejects where Postgres does not answer, or refuses a row. */
async function send(database: Database, group: Group): Promise<void> {
  while (group.open.length > 0) {
    if (group.isUnsure) await lookUp(database, group);
    if (group.open.length === 0) return;
    const { text, parameters } = commitStatement(group.open.map(({ commit }) => commit));
    group.isUnsure = true;
    const rows = await database.query(text, parameters);
    const written = new Set(rows.map((row) => Number(row.partition)));
    // One that was not written is another owner's, or an earlier statement of ours did get through after all.
    settle(group, (commit) => (written.has(commit.partition) ? 'committed' : undefined));
  }
}

async function lookUp(database: Database, group: Group): Promise<void> {
  const partitions = group.open.map(({ commit }) => commit.partition);
  const found = await checkpointsOf(database, partitions);
  settle(group, ({ partition, fence, commits }) => {
    const checkpoint = found.get(partition);
    if (checkpoint === undefined || checkpoint.fence !== fence) return 'fenced';
    if (checkpoint.commits === commits) return undefined;
    return checkpoint.commits === commits + 1 ? 'committed' : 'fenced';
  });
  group.isUnsure = false;
}

/** Answers those of the group that something has come of. */
function settle(group: Group, become: (commit: Commit) => 'committed' | 'fenced' | undefined): void {
  const ms = performance.now() - group.startedAt;
  group.open = group.open.filter(({ commit, resolve }) => {
    const kind = become(commit);
    if (kind === undefined) return true;
    resolve(kind === 'committed' ? { kind, ms } : { kind });
    return false;
  });
}

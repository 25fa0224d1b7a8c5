/**
 * Writing as the owner of a partition: everything that is written counts one commit on the partition's checkpoint, under the
 * fencing number of the lease. Whoever lost the lease writes nothing any more, and gets `Fenced`.
 */
import { retrying } from '../../src/timing/retry.ts';
import { type Database, isRefusal, type Parameter, type Row } from '../database/database.ts';
import type { Changes } from '../fold/folding.ts';
import type { CommitQueue } from './commitQueue.ts';
import { type Checkpoint, checkpointsOf } from './leases.ts';
import { projectionName } from './schema.ts';

/** The partition has another owner now: whoever gets this stops and starts again from the checkpoint. */
export class Fenced extends Error {
  override name = 'Fenced';
}

export interface FencedWriter {
  /** The cursor in the feed up to which the partition is folded. */
  readonly position: number;
  /**
   * Writes rows and moves the cursor to `next`, or leaves it where it is. One at a time, `run` included. Throws `Fenced`,
   * or what Postgres refused the rows with.
   */
  write(changes: Changes, next?: number): Promise<void>;
  /**
   * Runs a statement with the partition's checkpoint locked as `mine`, and answers with the rows of `answer`, at least one of
   * which it has to give. It may run twice where an answer is lost: the statement must not mind. Throws `Fenced`, or what
   * Postgres refused it with.
   */
  run(statements: string, parameters: readonly Parameter[], answer?: string): Promise<Row[]>;
}

export interface FencedWriterOptions {
  database: Database;
  commits: CommitQueue;
  /** As it was when the lease was taken. */
  checkpoint: Checkpoint;
  signal: AbortSignal;
  onCommitted(changes: Changes, ms: number): void;
  onError(error: unknown): void;
}

export function fencedWriter(options: FencedWriterOptions): FencedWriter {
  const { database, signal, onError } = options;
  const { partition, fence } = options.checkpoint;
  let { position, commits } = options.checkpoint;

  async function runOnce(statements: string, parameters: readonly Parameter[], answer: string) {
    const checkpoint = (await checkpointsOf(database, [partition])).get(partition);
    if (checkpoint?.fence !== fence) throw new Fenced();
    commits = checkpoint.commits;
    const count = parameters.length;
    const rows = await database.query(
      `with mine as (
         update projection_checkpoints set commits = commits + 1, updated_at = now()
         where projection = '${projectionName}' and partition = $${count + 1}::integer
           and fence = $${count + 2}::bigint and commits = $${count + 3}::bigint
         returning partition
       ), ${statements} ${answer}`,
      [...parameters, partition, fence, commits],
    );
    if (rows.length === 0) throw new Error('the checkpoint moved meanwhile');
    commits++;
    return rows;
  }

  return {
    get position() {
      return position;
    },
    async write(changes, next = position) {
      const outcome = await options.commits.commit({ partition, fence, commits, next, changes });
      if (outcome.kind === 'fenced') throw new Fenced();
      if (outcome.kind === 'refused') throw outcome.error;
      commits++;
      position = next;
      options.onCommitted(changes, outcome.ms);
    },
    run: (statements, parameters, answer = 'select partition from mine') =>
      retrying(() => runOnce(statements, parameters, answer), { signal, onError, isFinal }),
  };
}

const isFinal = (error: unknown) => error instanceof Fenced || isRefusal(error);

/**
 * Writing as the owner of a partition: everything that is written counts one commit on the partition's checkpoint, under the
 * fencing number of the lease. Whoever lost the lease writes nothing any more, and gets `Fenced`.
 */
import { projectionName } from './bookkeeping.ts';
import type { Checkpoint } from './checkpoint.ts';
import { type Database, isRefusal, type Parameter, type Row } from './database.ts';
import type { Changes } from './fold.ts';
import { type Place, places } from './leases.ts';
import { retrying } from './retry.ts';

/** The partition has another owner now: whoever gets this stops and starts again from the checkpoint. */
export class Fenced extends Error {
  override name = 'Fenced';
}

export interface Fencing {
  /** The cursor in the feed up to which the partition is folded. */
  readonly position: number;
  /**
   * Writes rows and moves the cursor to `next`, or leaves it where it is. One at a time, `fenced` included. Throws `Fenced`,
   * or what Postgres refused the rows with.
   */
  write(changes: Changes, next?: number): Promise<void>;
  /**
   * Runs a statement with the partition's checkpoint locked as `mine`, and answers with the rows of `answer`, at least one of
   * which it has to give. It may run twice where an answer is lost: the statement must not mind. Throws `Fenced`, or what
   * Postgres refused it with.
   */
  fenced(statements: string, parameters: readonly Parameter[], answer?: string): Promise<Row[]>;
}

export interface FencingOptions {
  database: Database;
  checkpoint: Checkpoint;
  place: Place;
  signal: AbortSignal;
  onCommitted(changes: Changes, ms: number): void;
  onError(error: unknown): void;
}

export function fencing(options: FencingOptions): Fencing {
  const { database, checkpoint, signal, onError } = options;
  const { partition, fence } = options.place;
  let { position, commits } = options.place;

  return {
    get position() {
      return position;
    },
    async write(changes, next = position) {
      const outcome = await checkpoint.commit({ partition, fence, commits, next, changes });
      if (outcome.kind === 'fenced') throw new Fenced();
      if (outcome.kind === 'refused') throw outcome.error;
      commits++;
      position = next;
      options.onCommitted(changes, outcome.ms);
    },
    fenced(statements, parameters, answer = 'select partition from mine') {
      const count = parameters.length;
      const run = async () => {
        const place = (await places(database, [partition])).get(partition);
        if (place?.fence !== fence) throw new Fenced();
        commits = place.commits;
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
      };
      return retrying(run, {
        signal,
        onError,
        isFinal: (error) => error instanceof Fenced || isRefusal(error),
      });
    },
  };
}

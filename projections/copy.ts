/**
 * COPY into Postgres, on a connection of its own: twice the rows a second of `unnest`, where 20,000 and more go at once
 * (below that each COPY waits for its answer, 24 ms were measured).
 *
 * postgres.js 3.4.9 tells of a COPY that fails while rows are still being sent; of one that fails at its very end it tells
 * nothing, and the stream never finishes. So the next statement on the connection asks what came of it.
 */
import type { Writable } from 'node:stream';
import type postgres from 'postgres';
import type { Copy, Row } from './database.ts';

export interface Copying {
  /** One after the other. Answers with what `check` says; rejects where the connection breaks, with the rows there or not. */
  copy(copy: Copy): Promise<Row[]>;
  close(): Promise<void>;
}

/** Rejects where the connection breaks, or Postgres has refused what was sent so far. */
function sent(stream: Writable, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    // It may fail later too, and is asked about then.
    stream.on('error', reject);
    stream.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
}

/** Bytes to a message. */
const partSize = 256 * 1_024;

export function copying(open: () => postgres.Sql): Copying {
  let sql: postgres.Sql | undefined;
  let last: Promise<unknown> = Promise.resolve();

  async function run({ into, lines, check, parameters }: Copy): Promise<Row[]> {
    sql ??= open();
    const stream = await sql.unsafe(`copy ${into} from stdin`).writable();
    const bytes = Buffer.from(lines);
    for (let at = 0; at < bytes.length; at += partSize) await sent(stream, bytes.subarray(at, at + partSize));
    // With nothing left to send the end goes out at once, before the question.
    stream.end();
    return sql.unsafe(check, [...parameters]);
  }

  return {
    copy(given) {
      const ran = last.then(() => run(given));
      last = ran.catch(() => undefined);
      return ran;
    },
    async close() {
      await sql?.end({ timeout: 5 });
    },
  };
}

/**
 * COPY into Postgres: twice the rows a second of `unnest`, where 20,000 and more go at once.
 *
 * postgres.js 3.4.9 tells of a COPY that fails while rows are still being sent; of one that fails at its very end it tells
 * nothing, and the stream never finishes. So the next statement on the connection asks what came of it.
 */
import type { Writable } from 'node:stream';
import type postgres from 'postgres';
import type { Copy, Row } from './database.ts';

/** Rejects where the connection breaks, or Postgres has refused what was sent so far. */
function sent(stream: Writable, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.once('error', reject);
    stream.write(bytes, (error) => {
      stream.off('error', reject);
      if (error) reject(error);
      else resolve();
    });
  });
}

/** Bytes to a message. */
const partSize = 256 * 1_024;

/** Answers with what `check` says. Rejects where the connection breaks, with the rows there or not. */
export async function copyRows(sql: postgres.Sql, { into, lines, check, parameters }: Copy): Promise<Row[]> {
  const stream = await sql.unsafe(`copy ${into} from stdin`).writable();
  // It may fail at any time, and is asked about then.
  stream.on('error', () => undefined);
  const bytes = Buffer.from(lines);
  for (let at = 0; at < bytes.length; at += partSize) await sent(stream, bytes.subarray(at, at + partSize));
  // With nothing left to send the end goes out at once, before the question.
  stream.end();
  return sql.unsafe(check, [...parameters]);
}

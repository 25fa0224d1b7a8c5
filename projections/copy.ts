/**
 * COPY into Postgres, on a connection of its own: twice the rows a second of `unnest`, where 20,000 and more go at once.
 *
 * postgres.js 3.4.9 tells of a COPY that fails while rows are still being sent; of one that fails at its very end it tells
 * nothing, and the stream never finishes. So the next statement on the connection asks what came of it.
 */
import { type NetConnectOpts, Socket } from 'node:net';
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

/** What postgres.js hands over where a socket is to be made for it: it tries one host after the other. */
interface Hosts {
  host: string[];
  port: number[];
  path?: string | false | undefined;
}

/**
 * Sockets without Nagle's algorithm, which postgres.js leaves on: the few bytes that end a COPY would wait until the system has
 * acknowledged the rows before them, which it puts off for some 40 ms.
 */
function sockets(): { socket(hosts: Hosts): Socket } {
  let tried = 0;
  return {
    socket({ host: hosts, port: ports, path }) {
      const socket = new Socket();
      const connect = (options: NetConnectOpts) => {
        // The driver listens for errors from the next turn on.
        setImmediate(() => socket.connect(options));
        return socket;
      };
      if (path) return connect({ path });
      const index = tried++ % hosts.length;
      const [host, port] = [hosts[index] ?? 'localhost', ports[index] ?? 5_432];
      // As the driver does, which verifies a certificate by it.
      return Object.assign(connect({ host, port, noDelay: true }), { host, port });
    },
  };
}

export function copying(open: (options: { socket(hosts: Hosts): Socket }) => postgres.Sql): Copying {
  let sql: postgres.Sql | undefined;
  let last: Promise<unknown> = Promise.resolve();

  async function run({ into, lines, check, parameters }: Copy): Promise<Row[]> {
    sql ??= open(sockets());
    const stream = await sql.unsafe(`copy ${into} from stdin`).writable();
    // It may fail at any time, and is asked about then.
    stream.on('error', () => undefined);
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

/** Long answers: sent piece by piece, only as fast as they are read, and to nobody for ever. */
import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** One JSON value to a line. */
export const ndjson = 'application/x-ndjson';

/** Whether someone would rather have lines than one body. */
export function wantsLines({ headers }: FastifyRequest): boolean {
  return headers.accept?.includes(ndjson) === true;
}

/** In milliseconds. */
export interface Patience {
  /** With a reader that takes nothing. */
  idleMs: number;
  /** With one that takes little, however steadily. */
  totalMs: number;
}

export const usualPatience: Patience = { idleMs: 60_000, totalMs: 3_600_000 };

/**
 * Sends the text. Where making it fails after the first piece, and where patience ends, the connection is cut: nobody takes
 * a part for the whole. A failure before that is answered like any other.
 */
export function sendText(
  reply: FastifyReply,
  pieces: AsyncIterable<string>,
  { idleMs, totalMs }: Patience,
): FastifyReply {
  const { raw, log } = reply;
  const cut = (why: string) => {
    log.info({ route: reply.request.routeOptions.url }, why);
    raw.destroy();
  };
  // Ours and the framework's together are more than the ten listeners at which Node suspects a leak.
  raw.setMaxListeners(20);
  // Node counts a write that gets on as activity, however large it is.
  raw.setTimeout(idleMs, () => cut('an answer was cut: its reader read nothing'));
  const total = setTimeout(() => cut('an answer was cut: its reader took too long'), totalMs).unref();
  raw.once('close', () => clearTimeout(total));
  // Pieces wait in the stream one at a time: 16 of them would, if it counted as usual for objects.
  return reply.send(Readable.from(pieces, { highWaterMark: 1 }));
}

/** The pages for as long as someone waits for the answer; what comes of fewer goes to nobody. */
export async function* whileWaited<T>(pages: AsyncIterable<T>, response: ServerResponse): AsyncGenerator<T> {
  for await (const page of pages) {
    if (response.closed) return;
    yield page;
  }
}

/** A receiver of webhooks, over real HTTP: writes down what comes, and answers as it is told. */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { until } from './until.ts';

export interface Received {
  headers: IncomingHttpHeaders;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it field by field
  body: any;
}

export interface Receiver {
  readonly url: string;
  readonly received: Received[];
  /** From now on. A number is a status; a function answers by itself, or never. */
  answers(how: number | ((response: ServerResponse, what: Received) => void)): void;
  /** Versions of a workshop, in the order in which they came. */
  versions(workshopId: number): number[];
  /** Resolves when so many have come. */
  has(count: number, timeout?: number): Promise<void>;
  close(): Promise<void>;
}

/** `port`: one that a former receiver had. */
export async function receiver(port = 0): Promise<Receiver> {
  const received: Received[] = [];
  let answer: (response: ServerResponse, what: Received) => void = (response) =>
    response.writeHead(204).end();
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    request.on('end', () => {
      const what = { headers: request.headers, text, body: JSON.parse(text) };
      received.push(what);
      answer(response, what);
    });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`,
    received,
    answers(how) {
      answer = typeof how === 'number' ? (response) => response.writeHead(how).end() : how;
    },
    versions: (workshopId) =>
      received.flatMap(({ body }) => (body.data.workshopId === workshopId ? [body.data.version] : [])),
    has: (count, timeout = 15_000) =>
      until(() => received.length >= count, {
        what: `${count} deliveries, of which ${received.length} came`,
        timeout,
      }).then(() => undefined),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

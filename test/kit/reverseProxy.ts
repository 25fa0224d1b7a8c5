/** An HTTP proxy that serves a node under a path of a larger site, as nginx does: with the path taken off, or left where it is. */
import { createServer, type IncomingMessage, request } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

export interface ReverseProxy {
  /** Where browsers find the node: `http://127.0.0.1:4711/rooms`. */
  url: string;
  /** Addresses that were asked for and are not the node's. */
  readonly elsewhere: string[];
  /** The node behind it from now on. */
  pointTo(node: string, path: 'taken off' | 'left'): void;
  close(): Promise<void>;
}

export async function reverseProxy(path: string): Promise<ReverseProxy> {
  let node = new URL('http://127.0.0.1');
  let isTakenOff = true;
  const elsewhere: string[] = [];
  const sockets = new Set<Socket>();

  /** What the node is asked for; undefined where that is somebody else's. */
  function addressed({ url = '/' }: IncomingMessage): string | undefined {
    if (url !== path && !url.startsWith(`${path}/`)) {
      elsewhere.push(url);
      return undefined;
    }
    return isTakenOff ? url.slice(path.length) || '/' : url;
  }

  const server = createServer((asked, answer) => {
    const address = addressed(asked);
    if (address === undefined) return void answer.writeHead(404).end();
    const { method, headers } = asked;
    const options = { host: node.hostname, port: node.port, path: address, method, headers, agent: false };
    const passed = request(options, (answered) => {
      answer.writeHead(answered.statusCode ?? 502, answered.headers);
      answered.pipe(answer);
    });
    passed.on('error', () => answer.destroy());
    asked.pipe(passed);
  });
  server.on('upgrade', (asked, client: Socket, head) => {
    const address = addressed(asked);
    if (address === undefined) return void client.end('HTTP/1.1 404 Not Found\r\n\r\n');
    const there = connect(Number(node.port), node.hostname);
    const lines = asked.rawHeaders.map((word, n) => (n % 2 === 0 ? `${word}: ` : `${word}\r\n`)).join('');
    there.write(`GET ${address} HTTP/1.1\r\n${lines}\r\n`);
    there.write(head);
    client.pipe(there).pipe(client);
    for (const each of [client, there]) each.on('error', () => each.destroy());
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`,
    elsewhere,
    pointTo(url, how) {
      node = new URL(url);
      isTakenOff = how === 'taken off';
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

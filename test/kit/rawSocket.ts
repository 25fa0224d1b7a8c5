/** A WebSocket without Socket.IO's client: sends whatever a test likes, down to the bytes of a frame, and keeps what it hears. */
import { connect, type Socket } from 'node:net';
import { WebSocket } from 'ws';
import { until } from './until.ts';

export interface RawSocket {
  heard: string[];
  send(frame: string | Buffer): void;
  isClosed(): boolean;
  closed(timeout?: number): Promise<void>;
  close(): void;
}

const address = (url: string) => `${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`;

/** Opened as far as Engine.IO; in the namespace with a token. */
export async function rawSocket(url: string, token?: string): Promise<RawSocket> {
  const socket = new WebSocket(address(url));
  const heard: string[] = [];
  let closed = false;
  socket.on('message', (data) => heard.push(String(data)));
  socket.on('close', () => {
    closed = true;
  });
  // What an error means for the test stands in what was heard.
  socket.on('error', () => undefined);
  const raw: RawSocket = {
    heard,
    send: (frame) => socket.send(frame),
    isClosed: () => closed,
    async closed(timeout = 10_000) {
      await until(() => closed, { what: 'the raw socket to be closed', timeout });
    },
    close: () => socket.terminate(),
  };
  await until(() => heard.some((frame) => frame.startsWith('0')), { what: 'a raw socket to be open' });
  if (token === undefined) return raw;
  socket.send(`40/workshop,${JSON.stringify({ token })}`);
  await until(() => heard.some((frame) => frame.startsWith('40/workshop')), {
    what: 'a raw socket to be let in',
  });
  return raw;
}

/** What a server says to an upgrade: its status line's number, 0 where it says nothing. */
export function upgrading(url: string, headers: Record<string, string>, query = ''): Promise<number> {
  return new Promise((resolve) => {
    const socket = new WebSocket(address(url) + query, { headers });
    socket.on('open', () => {
      resolve(101);
      socket.terminate();
    });
    socket.on('unexpected-response', (_, response) => {
      resolve(response.statusCode ?? 0);
      response.destroy();
    });
    socket.on('error', () => resolve(0));
  });
}

/** A bare connection that has been upgraded, to write frames into byte by byte. */
export async function upgradedConnection(url: string): Promise<Socket> {
  const { hostname, port, host } = new URL(url);
  const socket = connect(Number(port), hostname);
  let answer = '';
  const collect = (chunk: Buffer) => {
    answer += chunk.toString('latin1');
  };
  socket.on('data', collect);
  // Being cut off is what most of these are for.
  socket.on('error', () => undefined);
  socket.write(
    [
      'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1',
      `host: ${host}`,
      'connection: upgrade',
      'upgrade: websocket',
      'sec-websocket-version: 13',
      'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==',
      '\r\n',
    ].join('\r\n'),
  );
  await until(() => answer.includes('\r\n\r\n'), { what: 'the upgrade to be answered' });
  socket.off('data', collect).resume();
  return socket;
}

/** A masked frame of a client (RFC 6455, 5.2), with at most 125 bytes; the mask is zero. */
export function frame(payload: Buffer | string, { opcode = 1, final = true } = {}): Buffer {
  const body = Buffer.from(payload);
  return Buffer.concat([Buffer.from([(final ? 0x80 : 0) | opcode, 0x80 | body.length, 0, 0, 0, 0]), body]);
}

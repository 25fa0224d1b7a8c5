/** Several messages written at once, as Socket.IO's own client reads them. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';
import { io as connect } from 'socket.io-client';
import { expect, it } from 'vitest';
import { burst, type Message } from '../../src/lib/socket/frames.ts';
import type { WorkshopNamespace } from '../../src/lib/socket/socket.ts';
import { until } from '../kit/until.ts';

it.each(['websocket', 'polling'])(
  '[M23] a burst arrives message by message, in order, over %s',
  async (transport) => {
    const http = createServer();
    const server = new Server(http);
    const nsp: WorkshopNamespace = server.of('/workshop');
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    const { port } = http.address() as AddressInfo;
    const client = connect(`http://127.0.0.1:${port}/workshop`, { transports: [transport], forceNew: true });
    const heard: [string, unknown][] = [];
    client.onAny((name: string, payload: unknown) => heard.push([name, payload]));
    try {
      await until(() => client.connected && nsp.sockets.size === 1, { what: 'the connection' });
      // Lengths on both sides of where the head of a frame grows; text of several bytes, and what separates polled messages.
      const texts = [
        '',
        'x'.repeat(50),
        'x'.repeat(300),
        '🧶é'.repeat(9_000),
        'x'.repeat(70_000),
        'a\u001e4b',
        '"]',
      ];
      const messages = texts.map((text, n): Message => [`workshop:${n}`, { text }]);
      for (const socket of nsp.sockets.values()) {
        socket.emit('before', 1);
        // It waits in engine.io for the first to be written: what comes next must not overtake it.
        socket.emit('before', 2);
        burst(messages)(socket);
        burst([])(socket);
        burst(messages.slice(0, 1))(socket);
        socket.emit('after', 3);
      }
      const expected = [['before', 1], ['before', 2], ...messages, messages[0], ['after', 3]];
      await until(() => heard.length === expected.length, { what: 'everything' });
      expect(heard).toEqual(expected);
    } finally {
      client.disconnect();
      await server.close();
    }
  },
);

/** What crosses nodes beside room events, which come from the log on every node: an adapter of Socket.IO over Redis. */
import { createAdapter } from '@socket.io/redis-streams-adapter';
import { type Namespace, Server } from 'socket.io';
import { namespace } from '../../protocol/wire.ts';

export type Adapter = ReturnType<typeof createAdapter>;

/** `scope` sets apart what shares a Redis without sharing its keys: channels know no databases. */
export function redisAdapter(redis: unknown, scope: string): Adapter {
  return createAdapter(redis, {
    streamName: 'ws:socket.io',
    channelPrefix: `ws:socket.io:${scope}`,
    // Its reader notices a close only when a wait is over.
    blockTimeInMs: 1_000,
  });
}

/** For a process without sockets: it reaches the other ones, and no client reaches it. */
export function adapterWithoutSockets(adapter: Adapter): { nsp: Namespace; close(): Promise<void> } {
  const io = new Server({ adapter });
  const nsp = io.of(namespace);
  return {
    nsp,
    async close() {
      for (const each of [nsp, io.of('/')]) await each.adapter.close();
    },
  };
}

/**
 * The doorbell: one channel on which each call of appends tells `<partition>:<number of the last append>` for the partitions
 * that it wrote to, with spaces between. A ring that is lost costs time alone: tails look by themselves too.
 */
import { globalKeys } from './keys.ts';
import type { Connection } from './scripts.ts';

export interface Doorbell {
  /** Resolves once what is appended from now on rings. */
  heard(): Promise<void>;
  /** Told of the number of the last append to that partition. Answers with what ends it. */
  listen(partition: number, ring: Ring): () => void;
}

type Ring = (sequence: number) => void;

export function redisDoorbell(connection: Connection): Doorbell {
  const listeners = new Map<number, Set<Ring>>();
  let subscribed: Promise<unknown> | undefined;

  connection.on('message', (_, message: string) => {
    for (const each of message.split(' ')) {
      const [partition, sequence] = each.split(':', 2);
      for (const ring of listeners.get(Number(partition)) ?? []) ring(Number(sequence));
    }
  });

  return {
    async heard() {
      // ioredis subscribes again by itself after a break.
      subscribed ??= connection.subscribe(globalKeys.doorbell);
      try {
        await subscribed;
      } catch (error) {
        subscribed = undefined;
        throw error;
      }
    },
    listen(partition, ring) {
      const all = listeners.get(partition) ?? new Set<Ring>();
      listeners.set(partition, all.add(ring));
      return () => void all.delete(ring);
    },
  };
}

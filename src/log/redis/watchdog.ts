/**
 * Gives up connections that are dead without anyone having been told: where a firewall forgot them, or a machine vanished,
 * neither side gets an answer, and the system would try for a quarter of an hour. ioredis' own `socketTimeout` is not used:
 * its timer outlives the connection and then ends the next one (5.11).
 */
import { Cluster, type Redis } from 'ioredis';
import { inTime } from '../inTime.ts';
import type { Connection } from './scripts.ts';

/** How often a connection is asked whether it is alive, and how long it may take to answer, in milliseconds. */
const everyMs = 1_000;
const silenceMs = 3_000;

/** Until the connection is closed for good. Of a cluster the doorbell is not watched: a tail that hears nothing polls. */
export function watch(connection: Connection): void {
  const asked = new WeakSet<Redis>();
  const timer = setInterval(() => {
    const all = connection instanceof Cluster ? connection.nodes('all') : [connection];
    for (const redis of all) if (redis.status === 'ready' && !asked.has(redis)) void ask(redis);
  }, everyMs);
  timer.unref();
  connection.once('end', () => clearInterval(timer));

  async function ask(redis: Redis): Promise<void> {
    const { stream } = redis;
    asked.add(redis);
    try {
      await inTime(redis.ping(), silenceMs, 'Redis');
    } catch (error) {
      // An error that Redis answered with is an answer. Without one the connection is ended here, and made anew.
      const answered = error instanceof Error && error.name === 'ReplyError';
      if (!answered && redis.stream === stream) stream.destroy();
    } finally {
      asked.delete(redis);
    }
  }
}

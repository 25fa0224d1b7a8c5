/**
 * Gives up connections that are of no use without anyone having been told:
 *
 * - dead ones: where a firewall forgot them, or a machine vanished, neither side gets an answer, and the system would try for a
 *   quarter of an hour. ioredis' own `socketTimeout` is not used: its timer outlives the connection and then ends the next one
 *   (5.11).
 * - those to a server that is no primary any more: behind one address (a managed service, a virtual address, a proxy) the connections
 *   to a demoted primary stay open, refuse every write and read what is old. One that finds that out tells all of this
 *   process that were made to the same address: a subscriber cannot ask.
 */
import { Cluster, type Redis } from 'ioredis';
import { inTime } from '../../timing/inTime.ts';
import type { Connection } from './scripts.ts';

/** How often a connection is asked whether it is alive, and how long it may take to answer, in milliseconds. */
const everyMs = 1_000;
const silenceMs = 3_000;

/** This process' connections to single servers, by the address that they were made to. */
const sameAddress = new Map<string, Set<Redis>>();

/** Until the connection is closed for good. Of a cluster the doorbell is not watched: a tail that hears nothing polls. */
export function watch(connection: Connection, address: string): void {
  const asked = new WeakSet<Redis>();
  const single = connection instanceof Cluster ? undefined : connection;
  const timer = setInterval(() => {
    // A cluster's replicas are what they are meant to be, and its client follows the slots by itself.
    const all = single === undefined ? (connection as Cluster).nodes('all') : [single];
    for (const redis of all) if (redis.status === 'ready' && !asked.has(redis)) void ask(redis);
  }, everyMs);
  timer.unref();
  if (single !== undefined) join(address, single);
  connection.once('end', () => {
    clearInterval(timer);
    if (single !== undefined) leave(address, single);
  });

  async function ask(redis: Redis): Promise<void> {
    const { stream } = redis;
    asked.add(redis);
    try {
      const isSubscriber = redis.mode === 'subscriber';
      const answer = await inTime(
        single === undefined || isSubscriber ? redis.ping() : redis.info('replication'),
        silenceMs,
        'Redis',
      );
      if (/^role:slave/m.test(String(answer))) giveUpAll(address);
    } catch (error) {
      // An error that Redis answered with is an answer. Without one the connection is ended here, and made anew.
      const answered = error instanceof Error && error.name === 'ReplyError';
      if (!answered && redis.stream === stream) stream.destroy();
    } finally {
      asked.delete(redis);
    }
  }
}

function join(address: string, redis: Redis): void {
  sameAddress.set(address, (sameAddress.get(address) ?? new Set()).add(redis));
}

function leave(address: string, redis: Redis): void {
  const others = sameAddress.get(address);
  others?.delete(redis);
  if (others?.size === 0) sameAddress.delete(address);
}

/** They are made anew, by the address: it may lead to another server by now. */
function giveUpAll(address: string): void {
  for (const redis of sameAddress.get(address) ?? [])
    if (redis.status === 'ready')
      redis.stream.destroy(new Error('Redis is a replica now: the connection is given up'));
}

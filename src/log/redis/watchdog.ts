/**
 * Gives up connections that are of no use without anyone having been told:
 *
 * - dead ones: where a firewall forgot them, or a machine vanished, neither side gets an answer, and the system would try for a
 *   quarter of an hour. ioredis' own `socketTimeout` is not used: its timer outlives the connection and then ends the next one
 *   (5.11).
 * - those to a server that is no primary any more: behind one address (a managed service, a virtual address, a proxy) the connections
 *   to a demoted primary stay open, refuse every write and read what is old. One that finds that out tells all of this
 *   process that were made to the same address: a subscriber cannot ask.
 * - those to a primary that is cut off and does not know yet that it is none any more: the Sentinels tell (`sentinels.ts`).
 */
import { Cluster, type Redis } from 'ioredis';
import { inTime } from '../../timing/inTime.ts';
import type { Endpoint, SentinelAddress } from './address.ts';
import type { Connection } from './scripts.ts';
import { hearSwitches } from './sentinels.ts';

/** How often a connection is asked whether it is alive, and how long it may take to answer, in milliseconds. */
const everyMs = 1_000;
const silenceMs = 3_000;

interface Watched {
  connections: Set<Redis>;
  /** Ends that Sentinels are listened to. */
  deafen?: (() => void) | undefined;
}

/** This process' connections to single servers, by the address that they were made to. */
const sameAddress = new Map<string, Watched>();

/** Until the connection is closed for good. Of a cluster the doorbell is not watched: a tail that hears nothing polls. */
export function watch(connection: Connection, address: string, sentinels?: SentinelAddress): void {
  const asked = new WeakSet<Redis>();
  const single = connection instanceof Cluster ? undefined : connection;
  const timer = setInterval(() => {
    // A cluster's replicas are what they are meant to be, and its client follows the slots by itself.
    const all = single === undefined ? (connection as Cluster).nodes('all') : [single];
    for (const redis of all) if (redis.status === 'ready' && !asked.has(redis)) void ask(redis);
  }, everyMs);
  timer.unref();
  if (single !== undefined) join(address, single, sentinels);
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

function join(address: string, redis: Redis, sentinels: SentinelAddress | undefined): void {
  let others = sameAddress.get(address);
  if (others === undefined) {
    const heard = (primary: Endpoint) => giveUpAll(address, primary);
    others = { connections: new Set(), deafen: sentinels && hearSwitches(sentinels, heard) };
    sameAddress.set(address, others);
  }
  others.connections.add(redis);
}

function leave(address: string, redis: Redis): void {
  const others = sameAddress.get(address);
  others?.connections.delete(redis);
  if (others?.connections.size !== 0) return;
  others.deafen?.();
  sameAddress.delete(address);
}

/** They are made anew, by the address: it may lead to another server by now. Those to where the primary is known to be stay. */
function giveUpAll(address: string, primary?: Endpoint): void {
  for (const { status, stream } of sameAddress.get(address)?.connections ?? []) {
    if (status !== 'ready' || (primary !== undefined && leadsTo(stream, primary))) continue;
    stream.destroy(new Error('Redis is no primary any more: the connection is given up'));
  }
}

function leadsTo({ remoteAddress, remotePort }: Redis['stream'], { host, port }: Endpoint): boolean {
  return remoteAddress === host && remotePort === port;
}

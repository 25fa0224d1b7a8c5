/**
 * Following the feeds (`feedFollower.ts`): each is pulled when its doorbell rings, and looked at now and then (`looks.ts`), so that a
 * lost ring costs time alone. Nothing blocks: XREAD BLOCK over thousands of streams costs Redis milliseconds at each wake-up, and a blocked
 * call that never settles after a broken connection would park the reader for good.
 */
import { once } from 'node:events';
import { retrying } from '../../timing/retry.ts';
import type { Tail, TailOptions } from '../log.ts';
import type { Doorbell } from './doorbell.ts';
import { endOfFeed, type FeedFollower, feedFollower } from './feedFollower.ts';
import type { FeedReader } from './feedReader.ts';
import type { PartitionKeys } from './keys.ts';
import type { Looks } from './looks.ts';
import type { OwnAppends } from './ownAppends.ts';
import type { Connection } from './scripts.ts';

/** When what could not begin is tried again, in milliseconds. */
const againMs = 250;

export interface TailConnections {
  reads: Connection;
  feeds: FeedReader;
  doorbell: Doorbell;
  looks: Looks;
  own: OwnAppends;
  keys(partition: number): PartitionKeys;
}

export function redisTail(connections: TailConnections, options: TailOptions): Tail {
  const { reads, feeds, doorbell, looks, own, keys } = connections;
  const closing = new AbortController();
  const { signal } = closing;
  const asked = [...options.from].map(([partition, from]) => ({ partition, from, keys: keys(partition) }));
  /** By partition. */
  const followers = new Map<number, FeedFollower>();
  /** What ends that they are told of something. */
  const endings: (() => void)[] = [];
  const all = () => [...followers.values()];
  const failed = (error: unknown) => {
    if (!signal.aborted) options.onError(error);
  };

  /** Those that something is to be seen to, at the end of this turn of the loop. */
  const attending = new Set<FeedFollower>();

  function attendSoon(follower: FeedFollower): void {
    if (attending.size === 0) setImmediate(attend);
    attending.add(follower);
  }

  function attend(): void {
    const these = [...attending];
    attending.clear();
    for (const each of these) each.attend();
  }

  /** After a failure it goes on with the partitions that are missing: what is followed already has come further. */
  async function begin(): Promise<void> {
    const missing = asked.filter(({ partition }) => !followers.has(partition));
    const tries = await Promise.allSettled(missing.map(takeUp));
    for (const each of tries) if (each.status === 'rejected') throw each.reason;
    for (const each of all()) each.wake();
  }

  async function takeUp({ partition, from, keys }: (typeof asked)[number]): Promise<void> {
    // Heard before the end is read: what comes in between rings.
    await doorbell.heard();
    const cursor = from === 'end' ? await endOfFeed(reads, keys) : from;
    if (signal.aborted) return;
    const follower: FeedFollower = feedFollower({
      ...{ reads, feeds, own, keys, partition, cursor, options, signal },
      attendSoon: () => attendSoon(follower),
    });
    followers.set(partition, follower);
    const ring = (sequence: number) => {
      follower.ring(sequence);
      attendSoon(follower);
    };
    endings.push(doorbell.listen(partition, ring), looks.add(follower, failed));
  }

  const pauses = { first: againMs, most: againMs };
  const begun = retrying(begin, { signal, onError: options.onError, pauses });
  begun.catch(failed);

  return {
    // While Redis is away a subscription may never be answered: whoever closes the tail does not wait for it.
    ready: Promise.race([begun, once(signal, 'abort')]).then(() => {}),
    async close() {
      closing.abort();
      for (const end of endings) end();
      await Promise.all(all().map((each) => each.close()));
    },
  };
}

/**
 * Following the feeds: pulled when the doorbell rings and every `pollMs` without it, so that a lost ring costs time alone.
 * Nothing blocks: XREAD BLOCK over thousands of streams costs Redis milliseconds at each wake-up, and a blocked call that
 * never settles after a broken connection would park the reader for good.
 *
 *            ring / poll finds more
 *   idle ───────────────────────────► pulling ──► handing out ──┐
 *    ▲                                   ▲                      │ more, or rung meanwhile
 *    └────────── nothing more ───────────┴──────────────────────┘
 */
import type { Tail, TailOptions } from '../log.ts';
import { feedEntry, feedSequence, type StreamEntry } from './decode.ts';
import type { FeedReader } from './feedReader.ts';
import type { PartitionKeys } from './keys.ts';
import type { Connection } from './scripts.ts';

const pollMs = 250;

interface Follower {
  partition: number;
  keys: PartitionKeys;
  cursor: number;
  rung: boolean;
  /** Lingering: more may come before it is pulled. */
  waiting: boolean;
  /** The feed may not be the one that was followed so far. */
  mistrusted: boolean;
  /** More was appended than was handed out, by its last number. */
  behind: boolean;
  working: Promise<void> | null;
}

export interface TailConnections {
  reads: Connection;
  feeds: FeedReader;
  doorbell: Connection;
  keys(partition: number): PartitionKeys;
}

export function redisTail({ reads, feeds, doorbell, keys }: TailConnections, options: TailOptions): Tail {
  const limit = options.limit ?? 512;
  const followers = new Map<string, Follower>();
  const abort = new AbortController();
  const closed = () => abort.signal.aborted;
  const lingerMs = options.lingerMs ?? 0;
  const lingering = new Map<Follower, NodeJS.Timeout>();

  const ring = (channel: string) => {
    const follower = followers.get(channel);
    if (follower !== undefined) wake(follower);
  };

  function wake(follower: Follower): void {
    follower.rung = true;
    if (closed() || follower.waiting) return;
    if (lingerMs > 0 && follower.working === null) {
      follower.waiting = true;
      lingering.set(
        follower,
        setTimeout(() => begun(follower), lingerMs),
      );
    } else begun(follower);
  }

  function begun(follower: Follower): void {
    follower.waiting = false;
    lingering.delete(follower);
    if (closed()) return;
    follower.working ??= work(follower).finally(() => {
      follower.working = null;
      if (follower.rung) wake(follower);
    });
  }

  async function work(follower: Follower): Promise<void> {
    try {
      while (follower.rung && !closed()) {
        follower.rung = false;
        await giveUpLost(follower);
        while (!closed() && (await pull(follower)));
      }
    } catch (error) {
      // The next poll tries again.
      follower.rung = false;
      if (!closed()) options.onError(error);
    }
  }

  /** Hands out the next batch; true where there may be more. */
  async function pull(follower: Follower): Promise<boolean> {
    const { feed } = follower.keys;
    const found = await feeds.read(feed, follower.cursor, limit);
    const [first] = found;
    const last = found.at(-1);
    if (closed()) return false;
    if (first === undefined || last === undefined) return follower.behind && isGone(follower);
    follower.behind = false;
    const { partition } = follower;
    const follows = feedSequence(first) === follower.cursor + 1 || (await isBeginning(follower, first));
    if (!follows) {
      const cursor = feedSequence(first) - 1;
      await options.onBatch({ partition, entries: [], cursor, gap: true });
      follower.cursor = cursor;
      return true;
    }
    const cursor = feedSequence(last);
    await options.onBatch({ partition, entries: found.map(feedEntry), cursor, gap: false });
    follower.cursor = cursor;
    return found.length === limit;
  }

  /** Everything after the cursor was trimmed away, with nothing after it that would show as a gap. True where there is more. */
  async function isGone(follower: Follower): Promise<boolean> {
    const { keys, partition } = follower;
    const cursor = await endOfFeed(keys);
    // An append may have come in between.
    const isThere = (await feeds.read(keys.feed, follower.cursor, 1)).length > 0;
    if (isThere || cursor <= follower.cursor || closed()) return isThere;
    await options.onBatch({ partition, entries: [], cursor, gap: true });
    follower.cursor = cursor;
    follower.behind = false;
    return false;
  }

  /** Whether this is the very first append, for a reader who has seen nothing yet. */
  async function isBeginning({ cursor, keys }: Follower, first: StreamEntry): Promise<boolean> {
    if (cursor !== 0) return false;
    return Number(await reads.hget(keys.partition, 'first')) === feedSequence(first);
  }

  /** What no ring told of: appends whose ring was lost, and a feed that ends before the cursor. */
  async function look(follower: Follower): Promise<void> {
    if (follower.working !== null) return;
    const end = await endOfFeed(follower.keys);
    if (follower.working !== null || closed()) return;
    if (end < follower.cursor) follower.mistrusted = true;
    follower.behind = end > follower.cursor;
    if (end !== follower.cursor) wake(follower);
  }

  /**
   * The log has lost its tail: what this reader has seen may not be there any more. A feed that has grown again meanwhile shows
   * as a gap: its numbers jump with each new run of Redis.
   */
  async function giveUpLost(follower: Follower): Promise<void> {
    if (!follower.mistrusted) return;
    const cursor = await endOfFeed(follower.keys);
    await options.onBatch({ partition: follower.partition, entries: [], cursor, gap: true });
    follower.cursor = cursor;
    follower.mistrusted = false;
  }

  async function endOfFeed(partitionKeys: PartitionKeys): Promise<number> {
    return Number((await reads.hget(partitionKeys.partition, 'seq')) ?? 0);
  }

  async function begin(): Promise<void> {
    doorbell.on('message', ring);
    const start = [...options.from].map(async ([partition, from]) => {
      const partitionKeysHere = keys(partition);
      // Subscribed before the end is read: what comes in between rings.
      await doorbell.subscribe(partitionKeysHere.doorbell);
      const cursor = from === 'end' ? await endOfFeed(partitionKeysHere) : from;
      followers.set(partitionKeysHere.doorbell, {
        partition,
        keys: partitionKeysHere,
        cursor,
        rung: false,
        waiting: false,
        mistrusted: false,
        behind: false,
        working: null,
      });
    });
    await Promise.all(start);
  }

  async function beginAgain(): Promise<void> {
    while (!closed()) {
      try {
        return await begin();
      } catch (error) {
        options.onError(error);
        await new Promise((resolve) => setTimeout(resolve, pollMs));
      }
    }
  }

  let looking: Promise<unknown> = Promise.resolve();
  let poll: NodeJS.Timeout | undefined;
  const ready = beginAgain().then(() => {
    if (closed()) return;
    for (const follower of followers.values()) wake(follower);
    let busy = false;
    poll = setInterval(() => {
      if (busy) return;
      busy = true;
      looking = Promise.all([...followers.values()].map(look))
        .catch((error) => !closed() && options.onError(error))
        .finally(() => {
          busy = false;
        });
    }, pollMs);
  });

  return {
    ready,
    async close() {
      abort.abort();
      clearInterval(poll);
      for (const timer of lingering.values()) clearTimeout(timer);
      await ready;
      clearInterval(poll);
      doorbell.off('message', ring);
      await looking;
      await Promise.all([...followers.values()].map((follower) => follower.working));
    },
  };
}

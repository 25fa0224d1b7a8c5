/**
 * Reading the feeds: what is asked for at once goes to Redis in one call. Under load many partitions ring in one turn of the loop,
 * and a call costs more than what it brings.
 */
import { Cluster } from 'ioredis';
import type { StreamEntry } from './decode.ts';
import type { Connection } from './scripts.ts';

export interface FeedReader {
  /** Entries of a feed after the cursor, at most `limit`. */
  read(feed: string, cursor: number, limit: number): Promise<StreamEntry[]>;
}

interface Asked {
  feed: string;
  cursor: number;
  limit: number;
  resolve(entries: StreamEntry[]): void;
  reject(error: unknown): void;
}

export function feedReader(reads: Connection): FeedReader {
  // On a cluster the feeds are in different slots, and a call has keys of one.
  const together = !(reads instanceof Cluster);
  let asked: Asked[] = [];

  function send(): void {
    let rest = asked;
    asked = [];
    while (rest.length > 0) {
      const group = together ? firstOfEach(rest) : rest.slice(0, 1);
      const taken = new Set(group);
      rest = rest.filter((each) => !taken.has(each));
      void call(group);
    }
  }

  async function call(group: readonly Asked[]): Promise<void> {
    const limit = Math.max(...group.map((each) => each.limit));
    const keys = group.map(({ feed }) => feed);
    const cursors = group.map(({ cursor }) => `${cursor}-0`);
    try {
      const reply = await reads.xread('COUNT', limit, 'STREAMS', ...keys, ...cursors);
      const found = new Map((reply ?? []).map(([feed, entries]) => [feed, entries as StreamEntry[]]));
      for (const { feed, resolve, limit } of group) resolve((found.get(feed) ?? []).slice(0, limit));
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
  }

  return {
    read: (feed, cursor, limit) =>
      new Promise((resolve, reject) => {
        if (asked.length === 0) queueMicrotask(send);
        asked.push({ feed, cursor, limit, resolve, reject });
      }),
  };
}

/** One of each feed: the answer names feeds, not who asked. */
function firstOfEach(asked: readonly Asked[]): Asked[] {
  const first = new Map<string, Asked>();
  for (const each of asked) if (!first.has(each.feed)) first.set(each.feed, each);
  return [...first.values()];
}

/**
 * Following the feed of the embedded log: woken by this process' own commits, by looking again where another process
 * writes. Batches are read back from the store after they were committed.
 */
import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { retrying } from '../../timing/retry.ts';
import type { FeedEntry, Tail, TailBatch, TailOptions } from '../log.ts';
import { feedEnd } from './append.ts';
import { headOf, readEvents } from './events.ts';
import type { Store } from './store.ts';

/** For a log that another process writes, and for what this one's commits did not ring for. */
const pollMs = 100;
const retryMs = 250;

export function embeddedTail(store: Store, options: TailOptions): Tail {
  for (const partition of options.from.keys())
    if (partition !== 0) throw new RangeError(`there is no partition ${partition} of 1`);
  const from = options.from.get(0);
  if (from === undefined) return { ready: Promise.resolve(), close: () => Promise.resolve() };

  const closing = new AbortController();
  const { signal } = closing;
  const trying = { signal, onError: options.onError, pauses: { first: retryMs, most: retryMs } };
  const commits = commitsOf(store, signal);
  const started =
    from === 'end' ? retrying(() => store.read(() => feedEnd(store)), trying) : Promise.resolve(from);
  const following = started.then(follow).catch((error) => {
    if (!signal.aborted) throw error;
  });

  async function follow(start: number): Promise<never> {
    for (let cursor = start; ; ) cursor = await retrying(() => step(cursor), trying);
  }

  /** Hands out what follows on the cursor, or waits until there may be something; where to go on. */
  async function step(cursor: number): Promise<number> {
    const seen = commits.count();
    const batch = await store.read(() => batchAfter(store, cursor, options.limit ?? 512));
    if (batch === null) {
      await commits.after(seen, pollMs);
      return cursor;
    }
    if (signal.aborted) return cursor;
    await options.onBatch(batch);
    // A reader that catches up leaves room for everything else.
    await nextTurn();
    return batch.cursor;
  }

  return {
    ready: Promise.race([started, once(signal, 'abort')]).then(() => {}),
    async close() {
      closing.abort();
      await following;
    },
  };
}

/** Counts the commits of this process until the signal is aborted. */
function commitsOf(store: Store, signal: AbortSignal) {
  let count = 0;
  let ring = () => {};
  const off = store.onCommit(() => {
    count++;
    ring();
  });
  signal.addEventListener('abort', () => {
    off();
    ring();
  });
  return {
    count: () => count,
    /** Resolves at the first commit after so many, when the signal is aborted, or after `ms`. */
    async after(seen: number, ms: number): Promise<void> {
      if (count !== seen || signal.aborted) return;
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        ring = resolve;
        timer = setTimeout(resolve, ms);
      });
      clearTimeout(timer);
    },
  };
}

function batchAfter(store: Store, cursor: number, limit: number): TailBatch | null {
  const rows = [...store.feed.getRange({ start: cursor + 1, limit })];
  const last = rows.at(-1);
  if (last !== undefined)
    return {
      partition: 0,
      entries: rows.flatMap(({ value }) => entryOf(store, value)),
      cursor: last.key,
      gap: false,
    };
  const end = feedEnd(store);
  // The store was replaced by one that is behind what this reader has seen.
  return end < cursor ? { partition: 0, entries: [], cursor: end, gap: true } : null;
}

/** None of what was removed meanwhile: it was kept elsewhere before. */
function entryOf(store: Store, [workshopId, from, to]: [number, number, number]): FeedEntry[] {
  const head = headOf(store, workshopId);
  if (head === undefined && from <= to) return [];
  const epoch = head?.epoch ?? '';
  const events = () => readEvents(store, workshopId, from - 1, to - from + 1);
  return [{ workshopId, from, to, epoch, events }];
}

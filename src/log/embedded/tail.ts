/**
 * Following the feed of the embedded log: woken by this process' own commits, by looking again where another process
 * writes. Batches are read back from the store after they were committed.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
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

  const stop = new AbortController();
  const started = startAt(from);
  const following = started.then(follow);

  /** The cursor to begin with; tried again until it can be read. */
  async function startAt(from: number | 'end'): Promise<number> {
    while (from === 'end' && !stop.signal.aborted) {
      try {
        return await store.read(() => feedEnd(store));
      } catch (error) {
        options.onError(error);
        await pause(retryMs);
      }
    }
    return from === 'end' ? 0 : from;
  }

  async function follow(start: number): Promise<void> {
    let cursor = start;
    while (!stop.signal.aborted) {
      const bell = listen();
      try {
        const batch = await store.read(() => batchAfter(store, cursor, options.limit ?? 512));
        if (batch === null) {
          await bell.rung;
        } else if (!stop.signal.aborted) {
          await options.onBatch(batch);
          cursor = batch.cursor;
          // A reader that catches up leaves room for everything else.
          await nextTurn();
        }
      } catch (error) {
        if (!stop.signal.aborted) options.onError(error);
        await pause(retryMs);
      } finally {
        bell.close();
      }
    }
  }

  /** Resolves at the next commit, after `pollMs`, or when the tail is closed. */
  function listen(): { rung: Promise<void>; close(): void } {
    const { promise: rung, resolve } = resolvable();
    const off = store.onCommit(resolve);
    const timer = setTimeout(resolve, pollMs);
    stop.signal.addEventListener('abort', resolve);
    return {
      rung,
      close() {
        off();
        clearTimeout(timer);
        stop.signal.removeEventListener('abort', resolve);
      },
    };
  }

  async function pause(ms: number): Promise<void> {
    const { promise, resolve } = resolvable();
    const timer = setTimeout(resolve, ms);
    stop.signal.addEventListener('abort', resolve);
    await promise;
    clearTimeout(timer);
    stop.signal.removeEventListener('abort', resolve);
  }

  return {
    ready: started.then(() => {}),
    async close() {
      stop.abort();
      await following;
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

function resolvable(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

/**
 * Following one feed from a cursor on: what is new is read when something told of it, and what this process appended itself is
 * handed out without being read, where it follows on what was handed out.
 *
 *                  rung, or woken            more, or woken meanwhile
 *   idle ──────────────────────────► working: pull, hand out ◄──┐
 *    ▲ ▲ │                            ▲   │ └───────────────────┘
 *    │ │ └──► lingering ──────────────┘   │ nothing more, or a failure
 *    │ └──────────────────────────────────┘
 *    └──► working: hand out what is our own, and follows on
 *
 * A ring is not answered before the answers of the appends of our own came that were under way when it was heard: most likely one
 * of them says what rang.
 */
import type { TailBatch, TailOptions } from '../log.ts';
import { feedEntry, feedSequence, type StreamEntry } from './decode.ts';
import type { FeedReader } from './feedReader.ts';
import type { PartitionKeys } from './keys.ts';
import type { OwnAppend, OwnAppends } from './ownAppends.ts';
import type { Connection } from './scripts.ts';

export interface FeedFollower {
  /** There may be something new. */
  wake(): void;
  /** The doorbell told of an append of that number: `attend` will be called soon. */
  ring(sequence: number): void;
  /** Sees to what rang, and to what is our own. */
  attend(): void;
  /** Looks for what nothing told of: appends whose ring was lost, and if it is thorough a feed that ends before the cursor. */
  look(isThorough: boolean): Promise<void>;
  /** Once the signal is aborted: resolves when no batch is under way any more. */
  close(): Promise<void>;
}

export interface Following {
  reads: Connection;
  feeds: FeedReader;
  own: OwnAppends;
  keys: PartitionKeys;
  partition: number;
  cursor: number;
  options: TailOptions;
  signal: AbortSignal;
  /** Asks for `attend` at the end of this turn of the loop. */
  attendSoon(): void;
}

export function feedFollower(following: Following): FeedFollower {
  const { reads, feeds, own, keys, partition, signal, options, attendSoon } = following;
  const { limit = 512, lingerMs = 0 } = options;
  let { cursor } = following;
  let state: 'idle' | 'lingering' | 'working' = 'idle';
  const isWorking = () => state === 'working';
  /** Woken since the last pull began. */
  let isWoken = false;
  /** The highest number that the doorbell told. */
  let rungTo = 0;
  /** Our own since the last `attend`. */
  let mine: OwnAppend[] = [];
  /** So many of our own were begun when it rang for something that is not handed out yet. */
  let begunBefore: number | undefined;
  /** The cursor that the last look found behind, with answers of our own to come. */
  let seenBehind = -1;
  /** The feed may not be the one that was followed so far. */
  let isMistrusted = false;
  /** More was appended than was handed out, by its last number. */
  let isBehind = false;
  let lingering: NodeJS.Timeout | undefined;
  let working: Promise<void> = Promise.resolve();

  // Who is in no hurry reads many at once, whoever appended them.
  const deafen =
    lingerMs > 0
      ? () => undefined
      : own.listen(partition, (appended) => {
          if (appended !== undefined) mine.push(appended);
          attendSoon();
        });

  function wake(): void {
    isWoken = true;
    begunBefore = undefined;
    if (signal.aborted || state !== 'idle') return;
    if (lingerMs > 0) {
      state = 'lingering';
      lingering = setTimeout(begin, lingerMs);
    } else begin();
  }

  function begin(): void {
    run(work);
  }

  function run(what: () => Promise<void>): void {
    state = 'working';
    working = what().finally(() => {
      state = 'idle';
      if (isWoken) wake();
      else attend();
    });
  }

  function attend(): void {
    // What is under way comes here at its end.
    if (signal.aborted || state === 'working') return;
    if (mine.length > 0) attendOwn();
    else if (rungTo <= cursor) begunBefore = undefined;
    else {
      begunBefore ??= lingerMs > 0 ? 0 : own.begun(partition);
      if (own.ended(partition) >= begunBefore) wake();
    }
  }

  function attendOwn(): void {
    const later = mine.filter(({ sequence }) => sequence > cursor);
    mine = [];
    const [first] = later;
    const isNext = first !== undefined && first.sequence === cursor + 1 && !isMistrusted && !isBehind;
    if (isNext) {
      const waiting = handOutOwn(later);
      if (waiting === undefined) attend();
      else run(() => waiting);
    } else if (first === undefined) attend();
    else wake();
  }

  /** Those that follow on the cursor, without a gap; the rest waits for what lies between. A promise where the reader takes its time. */
  function handOutOwn(later: readonly OwnAppend[]): Promise<void> | undefined {
    const end = later.findIndex(({ sequence }, index) => sequence !== cursor + 1 + index);
    const next = end === -1 ? later : later.slice(0, end);
    if (end !== -1) mine = [...later.slice(end), ...mine];
    try {
      const taking = handOut({ entries: next.map(({ entry }) => entry), gap: false }, cursor + next.length);
      // The next look finds that the cursor stands before what failed.
      return taking?.catch(options.onError);
    } catch (error) {
      options.onError(error);
      return undefined;
    }
  }

  async function work(): Promise<void> {
    try {
      while (isWoken && !signal.aborted) {
        isWoken = false;
        if (isMistrusted) await skipToEnd();
        while (!signal.aborted && (await pull()));
      }
    } catch (error) {
      // The next look tries again.
      isWoken = false;
      rungTo = cursor;
      if (!signal.aborted) options.onError(error);
    }
  }

  /** Hands out the next batch; true where there may be more. */
  async function pull(): Promise<boolean> {
    const told = rungTo;
    const found = await feeds.read(keys.feed, cursor, limit);
    const [first] = found;
    const last = found.at(-1);
    if (signal.aborted) return false;
    if (first === undefined || last === undefined) {
      // What rang meanwhile came after what was read.
      if (rungTo === told) rungTo = Math.min(told, cursor);
      return isBehind && skipGone();
    }
    isBehind = false;
    const follows = feedSequence(first) === cursor + 1 || (await isBeginning(first));
    if (!follows) {
      await handOut({ entries: [], gap: true }, feedSequence(first) - 1);
      return true;
    }
    await handOut(decoded(found), feedSequence(last));
    return found.length === limit;
  }

  function handOut(batch: Pick<TailBatch, 'entries' | 'gap'>, next: number): Promise<void> | undefined {
    const taking = options.onBatch({ partition, cursor: next, ...batch });
    if (taking === undefined) {
      cursor = next;
      return undefined;
    }
    return taking.then(() => {
      cursor = next;
    });
  }

  /** What this version cannot read is as good as trimmed: it is in the workshops' streams too. */
  function decoded(found: readonly StreamEntry[]): Pick<TailBatch, 'entries' | 'gap'> {
    try {
      return { entries: found.map(feedEntry), gap: false };
    } catch (error) {
      options.onError(error);
      return { entries: [], gap: true };
    }
  }

  /** The number of an append after the cursor, or the cursor. What followers ask in one turn is one call. */
  async function next(): Promise<number> {
    const from = cursor;
    const [first] = await feeds.read(keys.feed, from, 1);
    return first === undefined ? from : feedSequence(first);
  }

  /** Everything after the cursor was trimmed away, with nothing after it that would show as a gap. True where there is more. */
  async function skipGone(): Promise<boolean> {
    const end = await endOfFeed(reads, keys);
    // An append may have come in between.
    const isThere = (await feeds.read(keys.feed, cursor, 1)).length > 0;
    if (isThere || end <= cursor || signal.aborted) return isThere;
    await handOut({ entries: [], gap: true }, end);
    isBehind = false;
    return false;
  }

  /**
   * The log has lost its tail: what this reader has seen may not be there any more. A feed that has grown again meanwhile shows
   * as a gap: its numbers jump with each new run of Redis.
   */
  async function skipToEnd(): Promise<void> {
    await handOut({ entries: [], gap: true }, await endOfFeed(reads, keys));
    isMistrusted = false;
  }

  /** Whether this is the very first append, for a reader who has seen nothing yet. */
  async function isBeginning(first: StreamEntry): Promise<boolean> {
    if (cursor !== 0) return false;
    return Number(await reads.hget(keys.partition, 'first')) === feedSequence(first);
  }

  return {
    wake,
    ring(sequence) {
      rungTo = Math.max(rungTo, sequence);
    },
    attend,
    async look(isThorough) {
      if (isWorking()) return;
      const before = cursor;
      const end = isThorough ? await endOfFeed(reads, keys) : await next();
      // What is our own moves the cursor by another connection: the end may be older than it.
      if (state === 'working' || cursor !== before || signal.aborted) return;
      if (end > cursor && seenBehind !== cursor && own.ended(partition) < own.begun(partition)) {
        // An answer that is on its way may be all that is missing. Once.
        seenBehind = cursor;
        rungTo = Math.max(rungTo, end);
        return attendSoon();
      }
      if (end < cursor) isMistrusted = true;
      isBehind = end > cursor;
      if (end !== cursor) wake();
    },
    async close() {
      deafen();
      clearTimeout(lingering);
      await working;
    },
  };
}

/** The number of the last append. */
export async function endOfFeed(reads: Connection, keys: PartitionKeys): Promise<number> {
  return Number((await reads.hget(keys.partition, 'seq')) ?? 0);
}

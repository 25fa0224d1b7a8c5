/** Which of what a process appended itself is handed out at once, and what is read. */
import { expect, it } from 'vitest';
import type { FeedEntry } from '../../src/log/log.ts';
import type { StreamEntry } from '../../src/log/redis/decode.ts';
import { type Following, feedFollower } from '../../src/log/redis/feedFollower.ts';
import { partitionKeys } from '../../src/log/redis/keys.ts';
import { ownAppends } from '../../src/log/redis/ownAppends.ts';
import { until } from '../kit/until.ts';

/** An append of its own workshop, by its number in the feed. */
const inFeed = (sequence: number): StreamEntry => [
  `${sequence}-0`,
  ['w', String(sequence), 'v', '1', 'e', 'epoch', 'at', '0', ...['id', 'type', '1', '1', 'command', '{}']],
];
const own = (sequence: number) => ({
  sequence,
  entry: { workshopId: sequence, from: 1, to: 1, epoch: 'epoch', events: () => [] } satisfies FeedEntry,
});

interface Reads {
  /** What a reading finds, in place of what the feed has. */
  read?(): Promise<StreamEntry[]> | undefined;
  /** The end of the feed, when it is looked for. */
  end?(): Promise<string>;
}

/** Follows a feed that ends with number 13 from number 10 on. */
function following({ read = () => undefined, end = async () => '13' }: Reads = {}) {
  const told: (number | 'gap')[] = [];
  let reads = 0;
  const mine = ownAppends();
  const feeds: Following['feeds'] = {
    read: async (_, cursor) => {
      reads++;
      const found = await read();
      if (found !== undefined) return found;
      return [11, 12, 13].filter((sequence) => sequence > cursor).map(inFeed);
    },
  };
  const follower = feedFollower({
    reads: { hget: end } as unknown as Following['reads'],
    ...{ feeds, own: mine, keys: partitionKeys('tag'), partition: 0, cursor: 10 },
    options: {
      from: new Map(),
      onBatch: ({ entries, gap }) =>
        void told.push(...(gap ? (['gap'] as const) : entries.map(({ workshopId }) => workshopId))),
      onError: (error) => expect.unreachable(String(error)),
    },
    signal: new AbortController().signal,
    attendSoon: () => undefined,
  });
  return { follower, mine, told, reads: () => reads };
}

it('[L19] what follows on is handed out, what lies between is read, and nothing comes twice', async () => {
  const { follower, mine, told, reads } = following();
  for (const sequence of [11, 13]) mine.begin(0)(own(sequence));
  follower.attend();
  await until(() => told.length >= 3, { what: 'all three' });
  expect(told).toEqual([11, 12, 13]);
  follower.ring(13);
  follower.attend();
  await follower.close();
  expect([told.length, reads()]).toEqual([3, 1]);
});

it('[L19] a ring waits for the answers of what was under way when it was heard, and for no later ones', async () => {
  const { follower, mine, told, reads } = following();
  const [first, second] = [mine.begin(0), mine.begin(0)];
  follower.ring(11);
  follower.attend();
  expect(reads()).toBe(0);
  const third = mine.begin(0);
  for (const ended of [first, second]) {
    ended(undefined);
    follower.attend();
  }
  await until(() => told.length >= 3, { what: 'what rang' });
  third(own(12));
  follower.attend();
  await follower.close();
  expect(told).toEqual([11, 12, 13]);
});

it('[L19] an end that was read before own appends were handed out is no lost tail', async () => {
  let answer: (end: string) => void = () => undefined;
  const asked = new Promise<string>((resolve) => {
    answer = resolve;
  });
  const { follower, mine, told } = following({ end: () => asked });
  const looking = follower.look(true);
  mine.begin(0)(own(11));
  follower.attend();
  await until(() => told.length === 1, { what: 'the own one' });
  answer('10');
  await looking;
  await follower.close();
  expect(told).toEqual([11]);
});

it('[L19] a ring that is heard while nothing is found is answered', async () => {
  const { follower, told } = following({
    read: () => {
      if (told.length > 0 || isRung) return undefined;
      isRung = true;
      follower.ring(13);
      return Promise.resolve([]);
    },
  });
  let isRung = false;
  follower.wake();
  await until(() => told.length >= 3, { what: 'what rang', timeout: 1_000 });
  expect(told).toEqual([11, 12, 13]);
  await follower.close();
});

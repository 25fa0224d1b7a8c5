/**
 * Looking for what no doorbell told of, at all the followers of this process in one round, so that they share calls. An idle node asks
 * Redis a few times a second so, and not some hundred times.
 */
import { Cluster } from 'ioredis';
import type { FeedFollower } from './feedFollower.ts';
import type { Connection } from './scripts.ts';

export interface Looks {
  /** Answers with what ends it. */
  add(follower: Pick<FeedFollower, 'look'>, failed: (error: unknown) => void): () => void;
}

/** From one round to the next, in milliseconds. */
const everyMs = 250;
/**
 * One look in so many, of each follower in its turn, asks for the end of its feed alone. Once a connection was made anew all do: a
 * feed loses its tail with the Redis that had it. A cluster's connections to its nodes come and go unseen.
 */
const thoroughEvery = { single: 16, cluster: 4 };

interface Looking {
  follower: Pick<FeedFollower, 'look'>;
  failed(error: unknown): void;
  isUnderWay: boolean;
  /** Its next look asks for the end, whoever's turn it is. */
  owesThorough: boolean;
}

export function redisLooks(reads: Connection): Looks {
  const every = thoroughEvery[reads instanceof Cluster ? 'cluster' : 'single'];
  const all = new Set<Looking>();
  let rounds = 0;
  let timer: NodeJS.Timeout | undefined;

  reads.on('ready', () => {
    for (const each of all) each.owesThorough = true;
  });

  function round(): void {
    rounds++;
    let place = 0;
    for (const each of all) if (!each.isUnderWay) void look(each, (rounds + place++) % every === 0);
  }

  async function look(looking: Looking, isItsTurn: boolean): Promise<void> {
    const isThorough = isItsTurn || looking.owesThorough;
    looking.isUnderWay = true;
    looking.owesThorough = false;
    try {
      await looking.follower.look(isThorough);
    } catch (error) {
      looking.owesThorough = isThorough;
      if (all.has(looking)) looking.failed(error);
    } finally {
      looking.isUnderWay = false;
    }
  }

  return {
    add(follower, failed) {
      const looking: Looking = { follower, failed, isUnderWay: false, owesThorough: true };
      all.add(looking);
      timer ??= setInterval(round, everyMs);
      return () => {
        all.delete(looking);
        if (all.size > 0) return;
        clearInterval(timer);
        timer = undefined;
      };
    },
  };
}

/**
 * What nodes tell each other of used allowances, in Redis. While it is away, or frozen, each node's own memory holds the limits
 * alone: nobody waits for it, and it is asked again after a pause.
 */
import type { Cluster, Redis } from 'ioredis';
import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import type { Allowance } from './table.ts';

export interface SharedCount {
  /**
   * Adds what was used here. Resolves to the milliseconds until the allowance is full again where all nodes together have used
   * it up, otherwise to 0; also where the store does not answer. Never rejects.
   */
  add(account: string | number, points: number): Promise<number>;
}

export interface SharedStore {
  of(name: string, allowance: Allowance): SharedCount;
}

/** How long the store is left alone after it failed, in milliseconds. */
const pauseMs = 2_000;

/**
 * Keys begin with `ws:limit:`; each lives as long as its allowance's time. `failed` is told of the
 * first failure after a success.
 */
export function redisStore(redis: Redis | Cluster, failed: (error: unknown) => void): SharedStore {
  let pausedUntil = 0;
  let works = true;

  return {
    of(name, { points, seconds }) {
      const counter = new RateLimiterRedis({
        storeClient: redis,
        keyPrefix: `ws:limit:${name}`,
        points,
        duration: seconds,
        rejectIfRedisNotReady: true,
      });
      return {
        async add(account, used) {
          if (performance.now() < pausedUntil) return 0;
          try {
            const { remainingPoints, msBeforeNext } = await counter.consume(account, used);
            works = true;
            return remainingPoints > 0 ? 0 : Math.max(1, msBeforeNext);
          } catch (answer) {
            const isRefusal = answer instanceof RateLimiterRes;
            if (!isRefusal && works) failed(answer);
            works = isRefusal;
            if (isRefusal) return Math.max(1, answer.msBeforeNext);
            pausedUntil = performance.now() + pauseMs;
            return 0;
          }
        },
      };
    },
  };
}

/**
 * Redis' clock as this node knows it: this process' monotonic clock plus an offset that is measured every few seconds. The
 * system's time of day has no part in it: it may be set back or forth at any moment.
 */
import type { Connection } from './scripts.ts';

const measureMs = 10_000;

export interface RedisClock {
  /** Milliseconds since 1970 by Redis' clock, right to about half a round trip. */
  now(): number;
  /** Redis' answers do not fit what was measured (it was set, or this machine slept): it is measured again at once. */
  doubt(): void;
  close(): void;
}

export async function redisClock(redis: Connection): Promise<RedisClock> {
  let offset = 0;
  let isMeasuring = false;

  async function measure(): Promise<void> {
    const before = performance.now();
    const [seconds, micros] = await redis.time();
    const after = performance.now();
    offset = Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000) - (before + after) / 2;
  }

  function measureSoon(): void {
    if (isMeasuring) return;
    isMeasuring = true;
    // While Redis is away the last offset goes on; the connection reports its own errors.
    measure()
      .catch(() => undefined)
      .finally(() => {
        isMeasuring = false;
      });
  }

  await measure();
  const timer = setInterval(measureSoon, measureMs);
  timer.unref();
  return {
    now: () => Math.round(performance.now() + offset),
    doubt: measureSoon,
    close: () => clearInterval(timer),
  };
}

/** Redis' clock as this node knows it: the local one plus an offset that is measured every few seconds. */
import type { Connection } from './scripts.ts';

const measureMs = 10_000;

export interface RedisClock {
  /** Milliseconds since 1970 by Redis' clock, right to about half a round trip. */
  now(): number;
  close(): void;
}

export async function redisClock(redis: Connection): Promise<RedisClock> {
  let offset = 0;
  async function measure(): Promise<void> {
    const before = Date.now();
    const [seconds, micros] = await redis.time();
    const after = Date.now();
    offset = Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000) - (before + after) / 2;
  }
  await measure();
  const timer = setInterval(() => {
    // While Redis is away the last offset goes on; the connection reports its own errors.
    measure().catch(() => undefined);
  }, measureMs);
  timer.unref();
  return { now: () => Math.round(Date.now() + offset), close: () => clearInterval(timer) };
}

/** Waiting for a condition instead of for time. */
import { setTimeout as sleep } from 'node:timers/promises';

export interface Waiting {
  /** What is waited for, as it reads after "waited 5000 ms for". */
  what: string;
  /** Milliseconds until giving up; 5,000 if left out. */
  timeout?: number;
}

const pollMs = 10;

/**
 * Asks `condition` again and again and returns its first truthy answer. A throw counts as "not yet", so that assertions can
 * be waited for; the last one is the cause of the error that names what was waited for in vain.
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  { what, timeout = 5_000 }: Waiting,
): Promise<Exclude<Awaited<T>, false | null | undefined | 0 | ''>> {
  const deadline = performance.now() + timeout;
  let cause: unknown;
  for (;;) {
    try {
      const answer = await condition();
      // Narrowing an awaited type parameter to its truthy part is beyond the compiler.
      if (answer) return answer as Exclude<Awaited<T>, false | null | undefined | 0 | ''>;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    if (performance.now() >= deadline) {
      const because = cause instanceof Error ? `: ${cause.message}` : '';
      throw new Error(`waited ${timeout} ms for ${what}${because}`, { cause });
    }
    await sleep(pollMs);
  }
}

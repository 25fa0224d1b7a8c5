/** Trying again: with growing pauses, until it works, the caller ends it, or its time is over. Knows nothing of what is tried. */
import { setTimeout as sleep } from 'node:timers/promises';

export interface Retrying {
  /** Ends it: what is under way is not waited for any longer than it takes, and no further try begins. */
  signal?: AbortSignal;
  /** Told of each failure that is tried again. */
  onError?(error: unknown): void;
  /** What is not worth another try is thrown on. */
  isFinal?(error: unknown): boolean;
  /** Bounds of the pauses, in milliseconds: see `backoffMs`. */
  pauses?: Pauses;
  /** No try begins later than so many milliseconds from now: the last failure is thrown on instead. */
  withinMs?: number;
}

export interface Pauses {
  /** The first one, in milliseconds. */
  first: number;
  /** The longest one. */
  most: number;
}

const usual: Pauses = { first: 50, most: 2_000 };

/**
 * Milliseconds before the try after `failures` failures: 50, 100, … 2,000, each up to a half shorter by chance, so that those who
 * failed together do not come back together.
 */
export function backoffMs(failures: number, { first, most } = usual): number {
  return Math.min(most, first * 2 ** Math.min(failures - 1, 30)) * (1 - Math.random() / 2);
}

/** Rejects with the signal's reason once it is aborted, and with what `isFinal` says or the time left does not allow. */
export async function retrying<T>(run: () => Promise<T>, options: Retrying): Promise<T> {
  const { signal, onError, isFinal, pauses, withinMs = Number.POSITIVE_INFINITY } = options;
  const until = performance.now() + withinMs;
  for (let failures = 1; ; failures++) {
    signal?.throwIfAborted();
    const waitMs = backoffMs(failures, pauses);
    try {
      return await run();
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      if (isFinal?.(error) || performance.now() + waitMs > until) throw error;
      onError?.(error);
    }
    await pause(waitMs, signal);
  }
}

/** Waits; rejects at once with the signal's reason where that ends it. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, signal && { signal });
  } catch (error) {
    throw signal?.reason ?? error;
  }
}

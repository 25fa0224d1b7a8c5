/** Trying again: with growing pauses, until it works or the caller ends it. */
import { setTimeout as sleep } from 'node:timers/promises';

export interface Retrying {
  signal: AbortSignal;
  /** Told of each failure that is tried again. */
  onError(error: unknown): void;
  /** What is not worth another try is thrown on. */
  isFinal?(error: unknown): boolean;
}

/** Milliseconds before the try after `failures` failures: 50, 100, … 2,000, each up to a half shorter by chance. */
export function backoffMs(failures: number): number {
  return Math.min(2_000, 50 * 2 ** (failures - 1)) * (1 - Math.random() / 2);
}

/** Rejects with the signal's reason once it is aborted, and with what `isFinal` says. */
export async function retrying<T>(run: () => Promise<T>, options: Retrying): Promise<T> {
  const { signal, onError, isFinal } = options;
  for (let failures = 1; ; failures++) {
    signal.throwIfAborted();
    try {
      return await run();
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (isFinal?.(error)) throw error;
      onError(error);
    }
    await pause(backoffMs(failures), signal);
  }
}

/** Waits; rejects at once with the signal's reason where that ends it. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch {
    throw signal.reason;
  }
}

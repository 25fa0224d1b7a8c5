/** Asking until there is an answer: what passes is waited out. */
import { backoff, type WireError } from '../reply.ts';
import { NotAnswered } from './rest.ts';

export interface Persisting {
  signal: AbortSignal;
  /** Whether the answer is of use still. */
  isWanted?(): boolean;
  /** Told of each failure that passes. */
  onDelay(error: WireError): void;
}

/** Undefined once nobody wants the answer. Rejects with `NotAnswered` where asking again makes no sense. */
export async function persist<T>(
  ask: (signal: AbortSignal) => Promise<T>,
  { signal, isWanted = always, onDelay }: Persisting,
): Promise<T | undefined> {
  for (let attempt = 0; !signal.aborted && isWanted(); attempt++) {
    try {
      const answer = await ask(signal);
      return signal.aborted ? undefined : answer;
    } catch (error) {
      if (signal.aborted || !isWanted()) return undefined;
      if (!(error instanceof NotAnswered) || !error.refusal.retryable) throw error;
      onDelay(error.refusal);
      await pause(error.refusal.retryAfterMs ?? backoff(attempt), signal);
    }
  }
  return undefined;
}

const always = () => true;

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
  });
}

/** Asking again where a refusal may pass: at the time that the server names, or a little later each time. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterHint, backoff } from '../client/reply.ts';
import type { WireError } from '../protocol/errors.ts';

type Answered = { ok: true } | { ok: false; error: WireError };

export interface Patience {
  /** How often and for how many milliseconds in all a `rate_limited` was waited for. */
  readonly heldUp: { times: number; ms: number };
  /** Resolves to the first answer that is final, or to the last one where that takes too long or the signal comes. */
  ask<A extends Answered>(question: () => Promise<A>): Promise<A>;
}

/** How long something is asked again. */
const patienceMs = 60_000;

export function patience(signal: AbortSignal): Patience {
  const heldUp = { times: 0, ms: 0 };

  async function pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal }).catch(() => undefined);
  }

  return {
    heldUp,
    async ask(question) {
      const since = performance.now();
      for (let tries = 0; ; tries++) {
        const answer = await question();
        if (answer.ok || !answer.error.retryable || signal.aborted) return answer;
        const { code, retryAfterMs } = answer.error;
        const ms = retryAfterMs === undefined ? backoff(tries, 200, 5_000) : afterHint(retryAfterMs);
        if (performance.now() - since + ms > patienceMs) return answer;
        if (code === 'rate_limited') {
          heldUp.times++;
          heldUp.ms += ms;
        }
        await pause(ms);
      }
    },
  };
}

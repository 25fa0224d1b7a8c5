/**
 * Answers to commands as the client hands them out, the server's and its own where none came; and how long to wait before asking
 * again, spread so that a thousand clients do not come back in the same instant.
 */
import { type ErrorCode, type WireError, wireError } from '../protocol/errors.ts';
import type { Reply } from '../protocol/wire.ts';

export type { Reply, WireError };

export function refusal(code: ErrorCode, detail?: string): Reply {
  return { ok: false, error: wireError(code, detail) };
}

/** An acknowledgement as it came. What is no reply counts as a failure of the server. */
export function readReply(answer: unknown): Reply {
  if (typeof answer === 'object' && answer !== null && 'ok' in answer) {
    // The shape of a reply follows from `ok`; fields that are not known here pass.
    if (answer.ok === true || (answer.ok === false && 'error' in answer)) return answer as Reply;
  }
  return refusal('internal', 'the server answered in a form that is not known here');
}

/** Options of Socket.IO for the tries after a cut: the first one within 2 s, all moments in them equally likely. */
export const reconnecting = {
  reconnectionDelay: 1_000,
  reconnectionDelayMax: 10_000,
  randomizationFactor: 1,
} as const;

/** Milliseconds before try `attempt` (0 for the first): doubling from `base` to `most`, half of it left to chance. */
export function backoff(attempt: number, base = 500, most = 10_000): number {
  const full = Math.min(most, base * 2 ** Math.min(attempt, 20));
  return full / 2 + (Math.random() * full) / 2;
}

/** Milliseconds until the next try where the server said how long to wait: it said so to others too. */
export function afterHint(retryAfterMs: number): number {
  return retryAfterMs * (1 + Math.random() / 2);
}

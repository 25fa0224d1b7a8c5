/** How long to wait before the next try, spread so that a thousand clients do not come back in the same instant. */

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

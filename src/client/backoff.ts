/** How long to wait before the next try, spread so that a thousand clients do not come back in the same instant. */

/** Milliseconds before try `attempt` (0 for the first): doubling from `base` to `most`, half of it left to chance. */
export function backoff(attempt: number, base = 500, most = 10_000): number {
  const full = Math.min(most, base * 2 ** Math.min(attempt, 20));
  return full / 2 + (Math.random() * full) / 2;
}

/** Asking the database again and again, for answers that other processes bring about. */
import { setTimeout as sleep } from 'node:timers/promises';

const pollMs = 20;

/** True as soon as `holds` says so; false after `timeoutMs`. Asks at least once. */
export async function until(holds: () => Promise<boolean>, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  for (let wait = pollMs / 4; ; wait = Math.min(pollMs * 5, wait * 1.5)) {
    if (await holds()) return true;
    const left = deadline - performance.now();
    if (left <= 0) return false;
    await sleep(Math.min(wait, left));
  }
}

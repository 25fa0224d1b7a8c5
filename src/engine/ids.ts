/** Ids of events, and of commands that bring none: UUIDv7 (RFC 9562). */
import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';

/** Asking the system for 16 bytes takes it several microseconds each time, and for these no longer. */
const pool = new Uint8Array(16 * 256);
let taken = pool.length;

export function newId(): string {
  if (taken === pool.length) {
    randomFillSync(pool);
    taken = 0;
  }
  const random = pool.subarray(taken, taken + 16);
  taken += 16;
  return v7({ random });
}

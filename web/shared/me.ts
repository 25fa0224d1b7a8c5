/** Who signed in here: the cookie is out of a script's reach, so that is noted beside it. A browser may refuse to keep notes. */
import type { User } from './api.ts';

const key = 'workshop-rooms.me';

export function readMe(): User | null {
  try {
    const noted: unknown = JSON.parse(localStorage.getItem(key) ?? 'null');
    if (typeof noted !== 'object' || noted === null || !('userId' in noted) || !('displayName' in noted))
      return null;
    const { userId, displayName } = noted;
    return typeof userId === 'number' && typeof displayName === 'string' ? { userId, displayName } : null;
  } catch {
    // No notes at all, or someone else's under our key: sign in again.
    return null;
  }
}

/** null where nobody is signed in any more. */
export function noteMe(me: User | null): void {
  try {
    if (me === null) localStorage.removeItem(key);
    else localStorage.setItem(key, JSON.stringify(me));
  } catch {
    // Then it counts for as long as the page is open.
  }
}

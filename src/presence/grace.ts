/**
 * Who dropped and may be back (`presence.ts`, 3): someone whose last socket on this node is gone counts as present for a time of
 * grace. After it they are recorded as gone, unless somebody else holds them.
 *
 *   begin ──► awaited ──(grace, and what is left of a quiet time)──► being recorded ──► gone, or held elsewhere
 *               ▲  │ end: back, or removed                             │
 *               │  └───► not awaited                                   │
 *               └───────────── the log did not answer: a lease later ──┘
 */
import type { Presence } from '../log/log.ts';

export interface Grace {
  begin(workshopId: number, userId: number): void;
  end(workshopId: number, userId: number): void;
  /** Whether anyone is awaited in the workshop. */
  awaits(workshopId: number): boolean;
  /** Records nobody as gone any more. */
  close(): void;
}

/** What became of a command of presence. */
export type Recorded = { ok: true; changed: boolean } | { ok: false; error: { retryable: boolean } };

export interface GraceParts {
  presence: Pick<Presence, 'drop' | 'release'>;
  node: string;
  graceMs: number;
  leaseMs: number;
  /** For how long nobody is to be recorded as gone. */
  quietMs(): number;
  /** Records that the user has left, unless they are held. */
  gone(workshopId: number, userId: number): Promise<Recorded>;
  failed(error: unknown): void;
}

export function grace(parts: GraceParts): Grace {
  const { presence, node, graceMs, leaseMs, quietMs, gone, failed } = parts;
  /** By workshop and user. Who was awaited anew has another timer, who is back has none. */
  const timers = new Map<number, Map<number, NodeJS.Timeout>>();
  /** Who dropped in this turn of the loop: the log hears of them together. */
  const dropping = new Map<number, Set<number>>();
  let closed = false;

  function begin(workshopId: number, userId: number): void {
    wait(workshopId, userId, graceMs);
    if (dropping.size === 0) setImmediate(sayDropped);
    dropping.set(workshopId, (dropping.get(workshopId) ?? new Set()).add(userId));
  }

  function sayDropped(): void {
    // Not vital: it is said again before anyone is recorded as gone.
    for (const [workshopId, userIds] of dropping)
      if (userIds.size > 0) presence.drop(workshopId, [...userIds], node).catch(failed);
    dropping.clear();
  }

  function wait(workshopId: number, userId: number, ms: number): void {
    end(workshopId, userId);
    if (closed) return;
    const ofWorkshop = timers.get(workshopId) ?? new Map<number, NodeJS.Timeout>();
    timers.set(workshopId, ofWorkshop);
    ofWorkshop.set(
      userId,
      setTimeout(() => void over(workshopId, userId), ms),
    );
  }

  function end(workshopId: number, userId: number): void {
    dropping.get(workshopId)?.delete(userId);
    const ofWorkshop = timers.get(workshopId);
    clearTimeout(ofWorkshop?.get(userId));
    if (ofWorkshop?.delete(userId) && ofWorkshop.size === 0) timers.delete(workshopId);
  }

  async function over(workshopId: number, userId: number): Promise<void> {
    const quiet = quietMs();
    if (quiet > 0) return wait(workshopId, userId, quiet);
    const timer = timers.get(workshopId)?.get(userId);
    const isAwaited = () => timers.get(workshopId)?.get(userId) === timer;
    try {
      // Handed to the log before a join that comes from now on, whose hold then stands.
      await presence.drop(workshopId, [userId], node);
      if (!isAwaited()) return;
      const outcome = await gone(workshopId, userId);
      if (!isAwaited()) return;
      if (!outcome.ok && outcome.error.retryable) return wait(workshopId, userId, leaseMs);
      end(workshopId, userId);
      // With `user-left` the hold went. Where there was nothing to append it would keep other nodes' users present.
      if (!outcome.ok || !outcome.changed) await presence.release(workshopId, [userId], node);
    } catch (error) {
      failed(error);
      if (isAwaited()) wait(workshopId, userId, leaseMs);
    }
  }

  return {
    begin,
    end,
    awaits: (workshopId) => timers.has(workshopId),
    close() {
      closed = true;
      for (const ofWorkshop of timers.values()) for (const timer of ofWorkshop.values()) clearTimeout(timer);
      timers.clear();
    },
  };
}

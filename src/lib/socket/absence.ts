/**
 * Who dropped and may be back: someone whose last socket on this node is gone counts as present for a grace period, and as
 * gone after it, unless a socket of theirs is in the room again, here or on another node.
 */
import type { Engine } from '../../engine/engine.ts';

export interface Absences {
  /** The user's last socket here dropped. */
  begin(workshopId: number, userId: number): void;
  /** The user is back, has left, or was removed. */
  end(workshopId: number, userId: number): void;
  /** Whether anyone is awaited in the workshop. */
  awaits(workshopId: number): boolean;
  /** Forgets everyone, from now on too, without recording anything: a restart of the server is a drop, not a leaving. */
  close(): void;
}

export interface AbsenceParts {
  engine: Pick<Engine, 'handle'>;
  graceMs: number;
  /** After the log was away nobody is recorded as gone for this long. */
  leaseMs: number;
  /** How much of that is left. */
  quietMs(): number;
}

export function absences({ engine, graceMs, leaseMs, quietMs }: AbsenceParts): Absences {
  const timers = new Map<number, Map<number, NodeJS.Timeout>>();
  let closed = false;

  function set(workshopId: number, userId: number, ms: number): void {
    end(workshopId, userId);
    if (closed) return;
    const ofWorkshop = timers.get(workshopId) ?? new Map<number, NodeJS.Timeout>();
    timers.set(workshopId, ofWorkshop);
    ofWorkshop.set(
      userId,
      setTimeout(() => void drop(workshopId, userId), ms),
    );
  }

  async function drop(workshopId: number, userId: number): Promise<void> {
    const quiet = quietMs();
    if (quiet > 0) return set(workshopId, userId, quiet);
    const mine = timers.get(workshopId)?.get(userId);
    const outcome = await engine.handle({
      workshopId,
      name: 'drop-user',
      payload: { userId },
      actor: { kind: 'system' },
    });
    // Back, or counted anew, while this was under way.
    if (timers.get(workshopId)?.get(userId) !== mine) return;
    if (!outcome.ok && outcome.error.retryable) set(workshopId, userId, leaseMs);
    else end(workshopId, userId);
  }

  function end(workshopId: number, userId: number): void {
    const ofWorkshop = timers.get(workshopId);
    const timer = ofWorkshop?.get(userId);
    if (ofWorkshop === undefined || timer === undefined) return;
    clearTimeout(timer);
    ofWorkshop.delete(userId);
    if (ofWorkshop.size === 0) timers.delete(workshopId);
  }

  return {
    begin: (workshopId, userId) => set(workshopId, userId, graceMs),
    end,
    awaits: (workshopId) => timers.has(workshopId),
    close() {
      closed = true;
      for (const ofWorkshop of timers.values()) for (const timer of ofWorkshop.values()) clearTimeout(timer);
      timers.clear();
    },
  };
}

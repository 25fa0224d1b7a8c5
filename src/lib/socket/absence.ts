/**
 * Who dropped and may be back: someone whose last socket on this node is gone counts as present for a grace period, and as
 * gone after it, unless a socket of theirs is in the room again, here or on another node. The log knows who is awaited: who
 * is back on another node and leaves there has left, whoever still waits.
 */
import type { Engine } from '../../engine/engine.ts';
import type { Presence } from '../../log/log.ts';

export interface Absences {
  /** The user's last socket here dropped. */
  begin(workshopId: number, userId: number): void;
  /** The user is back, has left, or was removed. */
  end(workshopId: number, userId: number): void;
  /** Whether anyone is awaited in the workshop. */
  awaits(workshopId: number): boolean;
  /** Records nobody as gone any more: a restart of the server is a drop, not a leaving. */
  close(): void;
}

export interface AbsenceParts {
  engine: Pick<Engine, 'handle'>;
  presence: Pick<Presence, 'drop'>;
  node: string;
  graceMs: number;
  /** After the log was away nobody is recorded as gone for this long. */
  leaseMs: number;
  /** How much of that is left. */
  quietMs(): number;
  failed(error: unknown): void;
}

export function absences(parts: AbsenceParts): Absences {
  const { engine, presence, node, graceMs, leaseMs, quietMs, failed } = parts;
  const timers = new Map<number, Map<number, NodeJS.Timeout>>();
  /** Who dropped in this turn of the loop: the log is told of them together. */
  const dropping = new Map<number, Set<number>>();
  let closed = false;

  function begin(workshopId: number, userId: number): void {
    set(workshopId, userId, graceMs);
    if (dropping.size === 0) setImmediate(tell);
    dropping.set(workshopId, (dropping.get(workshopId) ?? new Set()).add(userId));
  }

  function tell(): void {
    // Not vital: it is said again before anyone is recorded as gone.
    for (const [workshopId, userIds] of dropping)
      if (userIds.size > 0) presence.drop(workshopId, [...userIds], node).catch(failed);
    dropping.clear();
  }

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
    const isBack = () => timers.get(workshopId)?.get(userId) !== mine;
    try {
      // Handed to the log before a join that comes from now on, whose hold then stands.
      await presence.drop(workshopId, [userId], node);
    } catch (error) {
      failed(error);
      if (!isBack()) set(workshopId, userId, leaseMs);
      return;
    }
    if (isBack()) return;
    const outcome = await engine.handle({
      workshopId,
      name: 'drop-user',
      payload: { userId },
      actor: { kind: 'system' },
    });
    // Back, or counted anew, while this was under way.
    if (isBack()) return;
    if (!outcome.ok && outcome.error.retryable) set(workshopId, userId, leaseMs);
    else end(workshopId, userId);
  }

  function end(workshopId: number, userId: number): void {
    dropping.get(workshopId)?.delete(userId);
    const ofWorkshop = timers.get(workshopId);
    const timer = ofWorkshop?.get(userId);
    if (ofWorkshop === undefined || timer === undefined) return;
    clearTimeout(timer);
    ofWorkshop.delete(userId);
    if (ofWorkshop.size === 0) timers.delete(workshopId);
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

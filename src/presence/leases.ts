/**
 * This node's lease, and those of nodes that are gone (`presence.ts`, 6 to 8). A lease is shorter than what is promised, so that
 * running out, being noticed and being recorded fit into it together.
 */
import type { Presence } from '../log/log.ts';
import { pause } from '../timing/retry.ts';
import type { Recorded } from './grace.ts';

export interface Leases {
  /** Resolves once this node has a lease. */
  ready: Promise<void>;
  /** Clients can reach this node from now on. */
  opened(): void;
  /** For how long nobody is to be recorded as gone, in milliseconds: one lease from the end of an outage of the log. */
  quietMs(): number;
  /** Leaves a lease behind that lasts for the time of grace. */
  close(): Promise<void>;
}

/** Who has a socket in a room on this node. */
export interface Connected {
  has(workshopId: number, userId: number): boolean;
  workshops(): readonly number[];
  /** Everyone there who is not leaving. */
  staying(workshopId: number): readonly number[];
}

export interface LeaseParts {
  presence: Pick<Presence, 'renew' | 'expired' | 'forget'>;
  node: string;
  leaseMs: number;
  graceMs: number;
  connected: Pick<Connected, 'has'>;
  /** This node's lease had run out: it says anew whom it holds. */
  holdAgain(): Promise<void>;
  /** Records that the user has left, unless they are held. */
  gone(workshopId: number, userId: number): Promise<Recorded>;
  failed(error: unknown): void;
}

export function keepLeases(parts: LeaseParts): Leases {
  const { presence, node, leaseMs, graceMs, connected, holdAgain, gone, failed } = parts;
  const ttlMs = leaseMs * 0.6;
  const everyMs = leaseMs * 0.15;
  const ending = new AbortController();
  /** When the log began to answer, and clients to reach this node (`performance.now()`); undefined while they do not. */
  let answersSince: number | undefined;
  let openSince: number | undefined;
  let wasAway = false;
  let owesHolds = false;

  async function keep(): Promise<void> {
    try {
      owesHolds = !(await presence.renew(node, ttlMs)) || owesHolds;
      if (owesHolds) await holdAgain();
      owesHolds = false;
      answersSince ??= performance.now();
      // Whoever was on a node that was started again needs one that can be reached to come back to.
      const since = Math.max(answersSince, openSince ?? Number.POSITIVE_INFINITY);
      if (performance.now() - since >= leaseMs) await reap();
    } catch (error) {
      // The answer that is missing may have been the only one to say that the lease had run out.
      owesHolds = true;
      answersSince = undefined;
      wasAway = true;
      failed(error);
    }
  }

  async function reap(): Promise<void> {
    for (const { node: dead, workshopId, userIds } of await presence.expired()) {
      const missing = userIds.filter((userId) => !connected.has(workshopId, userId));
      const outcomes = await Promise.all(missing.map((userId) => gone(workshopId, userId)));
      if (outcomes.every((outcome) => outcome.ok || !outcome.error.retryable))
        await presence.forget(workshopId, dead);
    }
  }

  async function keepOn(): Promise<void> {
    try {
      for (;;) {
        await pause(everyMs, ending.signal);
        await keep();
      }
    } catch (reason) {
      if (!ending.signal.aborted) throw reason;
    }
  }

  const ready = keep();
  const keeping = ready.then(keepOn);
  return {
    ready,
    opened() {
      openSince ??= performance.now();
    },
    quietMs() {
      if (!wasAway) return 0;
      if (answersSince === undefined) return leaseMs;
      return Math.max(0, leaseMs - (performance.now() - answersSince));
    },
    async close() {
      ending.abort();
      await keeping;
      await presence.renew(node, Math.max(ttlMs, graceMs)).catch(failed);
    },
  };
}

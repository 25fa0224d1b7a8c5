/**
 * What happens by itself: timers of workshops, and the leases of nodes that are gone. Every node does it: the commands are
 * checked against the log like anyone's, so that two nodes doing so at once do no harm, and a time that passed while no node
 * was up is found overdue by the first one.
 */
import { Cron } from 'croner';
import { nextTimer, type TimerSettings } from './domain/timers.ts';
import type { Engine } from './engine/engine.ts';
import type { EventLog } from './log/log.ts';

export interface CronParts {
  engine: Engine;
  log: EventLog;
  node: string;
  timers: TimerSettings;
  /** A dead node's users are gone within this time. */
  leaseMs: number;
  /** How long someone whose connection dropped is waited for. */
  graceMs: number;
  /** Since when people can connect here (`performance.now()`), undefined where they cannot yet. */
  openSince(): number | undefined;
  /** Whether the user has a socket on this node. */
  isHere(workshopId: number, userId: number): boolean;
  /** This node's lease had run out: it says anew whom it holds. */
  holdAgain(): Promise<void>;
  failed(error: unknown): void;
}

export interface WorkshopCrons {
  /** Resolves once this node has a lease: what it holds before counts for nothing. */
  ready: Promise<void>;
  /** For how long nobody is to be recorded as gone, in milliseconds: one lease from the end of an outage of the log. */
  quietMs(): number;
  /** Whoever was here has their time of grace to come back elsewhere: until then the lease still stands. */
  close(): Promise<void>;
}

/** Workshops looked at in one round. */
const round = 100;
/** When a workshop that could not be looked at is looked at again. */
const againMs = 10_000;

export function initWorkshopCrons(parts: CronParts): WorkshopCrons {
  const timers = new Cron('* * * * * *', { protect: true, catch: parts.failed }, () => runTimers(parts));
  const leases = keepLeases(parts);
  return {
    ready: leases.ready,
    quietMs: leases.quietMs,
    close() {
      timers.stop();
      return leases.close();
    },
  };
}

/** Does what is due, and notes when each workshop that was looked at wants to be looked at next. */
export async function runTimers(parts: CronParts): Promise<void> {
  const { log, failed } = parts;
  for (const workshopId of await log.timers.due(round)) {
    try {
      await look(parts, workshopId);
    } catch (error) {
      failed(error);
      // One workshop that cannot be read must not keep the others waiting.
      await log.timers.set(workshopId, log.now() + againMs, Number.MAX_SAFE_INTEGER);
    }
  }
}

async function look({ engine, log, timers }: CronParts, workshopId: number): Promise<void> {
  const found = await engine.room(workshopId);
  if (found === undefined) return log.timers.set(workshopId, null, 0);
  const timer = nextTimer(found.room, timers);
  if (timer === undefined || timer.at > log.now())
    return log.timers.set(workshopId, timer?.at ?? null, found.room.version);
  // Its event wakes the workshop: the next round finds what comes after.
  await engine.handle({ workshopId, name: timer.command, payload: {}, actor: { kind: 'system' } });
}

/**
 * Renews this node's lease and records the leaving of those whose nodes died. A lease is shorter than what is promised, so
 * that running out, being noticed and being recorded fit into it together.
 */
function keepLeases(parts: CronParts): WorkshopCrons {
  const { engine, log, node, leaseMs, graceMs, openSince, isHere, holdAgain, failed } = parts;
  const ttlMs = leaseMs * 0.6;
  const everyMs = leaseMs * 0.15;
  // While the log is away nobody's lease can be renewed: after that, nobody is gone for one full lease.
  let reachableSince: number | undefined;
  let wasAway = false;
  let owesHolds = false;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let keeping: Promise<void>;

  async function keep(): Promise<void> {
    try {
      const stood = await log.presence.renew(node, ttlMs);
      if (!stood || owesHolds) {
        owesHolds = true;
        await holdAgain();
        owesHolds = false;
      }
      reachableSince ??= performance.now();
      // Whoever was on a node that was started again needs one that can be reached to come back to.
      const since = Math.max(reachableSince, openSince() ?? Number.POSITIVE_INFINITY);
      if (performance.now() - since >= leaseMs) await reap();
    } catch (error) {
      reachableSince = undefined;
      wasAway = true;
      failed(error);
    }
    if (!closed)
      timer = setTimeout(() => {
        keeping = keep();
      }, everyMs);
  }

  async function reap(): Promise<void> {
    for (const { node: dead, workshopId, userIds } of await log.presence.expired()) {
      const gone = userIds.filter((userId) => !isHere(workshopId, userId));
      const outcomes = await Promise.all(
        gone.map((userId) =>
          engine.handle({ workshopId, name: 'drop-user', payload: { userId }, actor: { kind: 'system' } }),
        ),
      );
      if (outcomes.every((outcome) => outcome.ok || !outcome.error.retryable))
        await log.presence.forget(workshopId, dead);
    }
  }

  keeping = keep();
  return {
    ready: keeping,
    quietMs() {
      if (!wasAway) return 0;
      return reachableSince === undefined
        ? leaseMs
        : Math.max(0, leaseMs - (performance.now() - reachableSince));
    },
    async close() {
      closed = true;
      clearTimeout(timer);
      await keeping;
      await log.presence.renew(node, Math.max(ttlMs, graceMs)).catch(failed);
    },
  };
}

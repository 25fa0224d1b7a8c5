/**
 * What happens by itself: timers of workshops. Every node looks, and takes what is due for itself for a while, so that nodes share
 * the work; the commands are checked against the log like anyone's, so that two nodes doing the same do no harm, and a time that
 * passed while no node was up is found overdue by the first one.
 *
 *   each second: claim some ──► look at each, several at once ──► as many were due as may be claimed? ──yes──► claim some more
 */
import { nextTimer, type TimerSettings } from './domain/timers.ts';
import type { Engine } from './engine/engine.ts';
import type { EventLog } from './log/log.ts';
import { pause } from './timing/retry.ts';

export interface CronParts {
  engine: Engine;
  log: EventLog;
  timers: TimerSettings;
  failed(error: unknown): void;
}

export interface WorkshopCrons {
  /** No more is taken; what was taken and not done is due for others after a while. */
  close(): void;
}

/** Workshops that a node claims at once: at the top of an hour thousands are due, and others want some too. */
const round = 100;
/** How many of them are looked at at a time. */
const atOnce = 32;
/** When a workshop is due again that was claimed, or could not be looked at. */
const againMs = 10_000;

/** Between two looks. What is due says so by the second, and is done within that. */
const everyMs = 1_000;

export function initWorkshopCrons(parts: CronParts): WorkshopCrons {
  const closing = new AbortController();
  const { signal } = closing;
  const keepLooking = async () => {
    while (!signal.aborted) {
      await runTimers(parts, signal).catch(parts.failed);
      await pause(everyMs, signal).catch(() => undefined);
    }
  };
  void keepLooking();
  return { close: () => closing.abort() };
}

/** Does all that is due, and notes when each workshop that was looked at wants to be looked at next. */
export async function runTimers(parts: CronParts, signal = new AbortController().signal): Promise<void> {
  for (let claimed = round; claimed === round && !signal.aborted; ) {
    const due = await parts.log.timers.claim(round, againMs);
    claimed = due.length;
    const looking = async () => {
      for (let id = due.shift(); id !== undefined && !signal.aborted; id = due.shift()) await look(parts, id);
    };
    await Promise.all(Array.from({ length: atOnce }, looking));
  }
}

/** One workshop that cannot be read keeps no other waiting. */
async function look(parts: CronParts, workshopId: number): Promise<void> {
  try {
    await bringAbout(parts, workshopId);
  } catch (error) {
    // The claim has it due again.
    parts.failed(error);
  }
}

async function bringAbout({ engine, log, timers }: CronParts, workshopId: number): Promise<void> {
  const found = await engine.room(workshopId);
  if (found === undefined) return log.timers.set(workshopId, null, 0);
  const timer = nextTimer(found.room, timers);
  if (timer === undefined || timer.at > log.now())
    return log.timers.set(workshopId, timer?.at ?? null, found.room.version);
  // Its event wakes the workshop: the next round finds what comes after.
  await engine.handle({ workshopId, name: timer.command, payload: {}, actor: { kind: 'system' } });
}

/**
 * C1: an acknowledged command is in the log at the acknowledged version, and a command in one append at most.
 * C6: what was not answered happened once or not at all, and the answer to asking again says which.
 */
import type { RecordedEvent } from '../../../src/domain/evolve.ts';
import type { Reply } from '../../../src/protocol/wire.ts';
import type { Lost, Recording, StepOf } from './history.ts';

export interface AnswersReport {
  c1(what: string): void;
  c6(what: string): void;
  /** An acknowledged command that is not there; where that may be it is no violation. */
  lost(lost: Lost): void;
}

/** Commands that repeat by themselves: the server gives their events ids of its own. */
const unnamed: ReadonlySet<string> = new Set(['join', 'leave']);

export function checkAnswers(
  events: readonly RecordedEvent[],
  recordings: readonly Recording[],
  report: AnswersReport,
): void {
  const appends = appendsOf(events, report);
  for (const recording of recordings) {
    const wishes = groupedBy(
      recording.steps.filter((step) => step.kind === 'asked' || step.kind === 'answered'),
      (step) => step.wish,
    );
    for (const steps of wishes.values()) checkWish(events, recording, steps, appends, report);
  }
}

const keyOf = (by: number | 'system', commandId: string) => `${by}:${commandId}`;

/** The events of each command. One append holds them next to each other, and says nothing twice. */
function appendsOf(
  events: readonly RecordedEvent[],
  { c1 }: AnswersReport,
): ReadonlyMap<string, RecordedEvent[]> {
  const appends = groupedBy(events, ({ by, commandId }) => keyOf(by, commandId));
  for (const own of appends.values()) {
    const [first] = own;
    if (first === undefined || own.length === 1) continue;
    const told = new Set(own.map(({ type, data }) => JSON.stringify([type, data])));
    const together = own.every(
      ({ version, at }, index) => version === first.version + index && at === first.at,
    );
    if (told.size < own.length || !together)
      c1(
        `command ${first.commandId} is in more than one append: versions ${own.map(({ version }) => version)}`,
      );
  }
  return appends;
}

type Asking = StepOf<'asked' | 'answered'>;

function checkWish(
  events: readonly RecordedEvent[],
  { userId, workshopId, began }: Recording,
  steps: readonly Asking[],
  appends: ReadonlyMap<string, RecordedEvent[]>,
  { c1, c6, lost }: AnswersReport,
): void {
  const [first] = steps;
  if (first === undefined) return;
  const what = `${first.name} of user ${userId} (${first.commandId})`;
  const ids = new Set(steps.map(({ commandId }) => commandId));
  const done = [...ids].flatMap((id) => appends.get(keyOf(userId, id)) ?? []);
  const appended = [...ids].filter((id) => appends.has(keyOf(userId, id)));
  if (appended.length > 1)
    c6(
      `${what} was wished once and is in ${appended.length} appends: versions ${done.map(({ version }) => version)}`,
    );

  let acknowledged: Extract<Reply, { ok: true }> | undefined;
  for (const step of steps) {
    if (step.kind !== 'answered' || !isFinal(step.reply)) continue;
    const { reply } = step;
    if (acknowledged !== undefined && !unnamed.has(step.name) && wasAskedAfter(steps, step)) {
      if (!reply.ok || reply.version !== acknowledged.version)
        c1(`${what} was acknowledged at ${acknowledged.version} and later answered ${JSON.stringify(reply)}`);
    }
    if (reply.ok && reply.changed) {
      acknowledged ??= reply;
      if (isThere(events, step, userId, reply.version)) continue;
      if (done.length > 0)
        c1(`${what} was acknowledged at ${reply.version} and is at ${done.map(({ version }) => version)}`);
      else lost({ workshopId, userId, commandId: step.commandId, version: reply.version });
    }
  }
  const last = steps.findLast((step) => step.kind === 'answered' && isFinal(step.reply));
  if (last?.kind !== 'answered' || acknowledged !== undefined || unnamed.has(last.name)) return;
  // Nothing was appended, said the last answer. An earlier sending may still have been on its way and be done afterwards,
  // but what had been done when it was asked again must be told.
  const asked = began + (lastAsked(steps, last)?.ms ?? 0);
  const before = done.filter(({ at }) => at < asked - clockToleranceMs || steps.length === 2);
  if (before.length > 0)
    c6(
      `${what} was answered ${JSON.stringify(last.reply)} and is at ${before.map(({ version }) => version)}`,
    );
}

/** By how much the log's clock and that of a recording may differ: Redis counts in whole milliseconds. */
const clockToleranceMs = 5;

/** The sending that was answered by that. */
function lastAsked(steps: readonly Asking[], answer: StepOf<'answered'>): Asking | undefined {
  return steps.findLast(
    ({ kind, commandId, ms }) => kind === 'asked' && commandId === answer.commandId && ms <= answer.ms,
  );
}

/** Whether the answer says for good what became of the command. */
export function isFinal(reply: Reply): boolean {
  return reply.ok || !reply.error.retryable || reply.error.code === 'workshop_full';
}

/** Whether the command was sent again after it had been acknowledged, so that the second answer must be the first one. */
function wasAskedAfter(steps: readonly Asking[], answer: StepOf<'answered'>): boolean {
  const acknowledged = steps.findIndex(
    (step) => step.kind === 'answered' && step.reply.ok && step.reply.changed,
  );
  const again = lastAsked(steps, answer);
  return again !== undefined && steps.indexOf(again) > acknowledged;
}

function isThere(
  events: readonly RecordedEvent[],
  { name, commandId }: StepOf<'answered'>,
  userId: number,
  version: number,
): boolean {
  const event = events[version - 1];
  if (event === undefined || event.by !== userId) return false;
  if (!unnamed.has(name)) return event.commandId === commandId;
  return event.type === (name === 'join' ? 'user-joined' : 'user-left');
}

function groupedBy<T, K>(list: readonly T[], keyOf: (each: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const each of list) {
    const key = keyOf(each);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [each]);
    else group.push(each);
  }
  return groups;
}

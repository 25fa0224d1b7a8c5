/**
 * Appending, inside a write transaction of the store: all checks, then all puts. What is read here holds what earlier
 * appends of the same transaction wrote.
 */
import type { Mark } from '../../domain/define.ts';
import { type Append, type Appended, commandMemoryMs, missingLimit } from '../log.ts';
import { commandDone, eventRows, headOf, readEvents } from './events.ts';
import { drop, dropAll, isHeld } from './presence.ts';
import { type Store, top } from './store.ts';
import { wake } from './timers.ts';

export function appendIn(store: Store, append: Append, now: number): Appended {
  const { workshopId, base, commands } = append;
  if (now > append.deadline) return { kind: 'late' };

  const head = headOf(store, workshopId);
  // Removed: nothing may follow on nothing, and the caller puts it back first if it can.
  if (head === undefined && store.heads.get(workshopId) !== undefined)
    return { kind: 'conflict', version: 0, epoch: '', missing: [] };
  const { version, at: lastAt, epoch } = head ?? { version: 0, at: 0, epoch: store.epoch };
  const missing = () => readEvents(store, workshopId, base, missingLimit);

  const done = doneBefore(store, append, version);
  if (done.length > 0) return { kind: 'done', commands: done, missing: missing() };
  if (version > 0 && append.epoch !== undefined && append.epoch !== epoch)
    return { kind: 'epoch', epoch, version };
  if (hasConflict(store, append, version)) return { kind: 'conflict', version, epoch, missing: missing() };

  const held = stillHeld(store, append, now);
  if (held.length > 0) return { kind: 'held', commands: held };

  const at = Math.max(now, lastAt);
  const answer: Appended = {
    kind: 'appended',
    from: version + 1,
    to: version + commands.reduce((sum, { events }) => sum + events.length, 0),
    at,
    epoch,
    missing: missing(),
  };
  putEvents(store, append, { from: answer.from, at, now });
  putHead(store, workshopId, { version: answer.to, at, epoch });
  void store.feed.put(feedEnd(store) + 1, [workshopId, answer.from, answer.to]);
  for (const { unlessHeld } of commands) {
    // Nobody living holds the user any more, or this would not have been appended: the dead ones' holds go too.
    if (unlessHeld !== undefined) dropAll(store, workshopId, unlessHeld);
  }
  if (append.wakes === true) wake(store, workshopId, now, answer.to);
  forgetCommands(store, now, 2 * commands.length);
  return answer;
}

export function putHead(
  store: Store,
  workshopId: number,
  { version, at, epoch }: { version: number; at: number; epoch: string },
): void {
  void store.heads.put(workshopId, epoch === store.epoch ? [version, at] : [version, at, epoch]);
}

/** An entry of the feed without events: see `FeedEntry`. */
export function tellRewritten(store: Store, workshopId: number, version: number): void {
  void store.feed.put(feedEnd(store) + 1, [workshopId, version + 1, version]);
}

/** Sequence of the last append in the feed, 0 in an empty one. */
export function feedEnd(store: Store): number {
  const [last] = store.feed.getKeys({ reverse: true, limit: 1 });
  return last ?? 0;
}

function doneBefore(store: Store, { workshopId, base, commands }: Append, version: number) {
  const unseen = version > base ? [...eventRows(store, workshopId, base, missingLimit)] : [];
  return commands.flatMap(({ by, commandId, remember }, index) => {
    const done = commandDone(store, { workshopId, by, commandId }, remember, unseen);
    return done === null ? [] : [{ ...done, index }];
  });
}

function hasConflict(store: Store, { workshopId, base, commands }: Append, version: number): boolean {
  if (version === base) return false;
  // A base above the version was read from another log: nothing may be built on it.
  if (version < base || version - base > missingLimit) return true;
  return commands.some(({ reads }) =>
    reads.some((mark) => mark === '*' || (store.marks.get([workshopId, mark]) ?? 0) > base),
  );
}

interface Placing {
  from: number;
  /** Time of the events. */
  at: number;
  /** Time by the clock, which may have been set back. */
  now: number;
}

/** Indexes of the commands; drops what the own node ends of those users' holds, since that is gone whoever asks again. */
function stillHeld(store: Store, { workshopId, commands, node }: Append, now: number): number[] {
  return commands.flatMap(({ unlessHeld, leaves = false }, index) => {
    if (unlessHeld === undefined) return [];
    const ending = { workshopId, userId: unlessHeld, node, leaves };
    if (!isHeld(store, ending, now)) return [];
    const isBack = !leaves && store.holds.get([workshopId, unlessHeld, node]) === true;
    if (!isBack) drop(store, workshopId, unlessHeld, node);
    return [index];
  });
}

function putEvents(store: Store, { workshopId, commands }: Append, { from, at, now }: Placing): void {
  const marks = new Map<Mark, number>();
  let version = from - 1;
  for (const { by, commandId, fingerprint, remember, events } of commands) {
    for (const event of events) {
      version += 1;
      const row = [at, event.eventId, event.type, event.schema, by, commandId, event.data] as const;
      void store.events.put([workshopId, version], [...row]);
      for (const mark of event.marks) marks.set(mark, version);
    }
    if (!remember) continue;
    void store.done.put([workshopId, by, commandId], [version, fingerprint, now]);
    void store.doneAt.put([now, workshopId, by, commandId], true);
  }
  for (const [mark, last] of marks) void store.marks.put([workshopId, mark], last);
}

/** In small steps, a few more than are added: the memory shrinks without ever holding up an append. */
function forgetCommands(store: Store, now: number, added: number): void {
  const end: [number, number, number, string] = [now - 2 * commandMemoryMs, top, top, ''];
  // Collected first: a cursor does not bear removals under it.
  for (const key of [...store.doneAt.getKeys({ end, limit: added + 8 })]) {
    const [at, workshopId, by, commandId] = key;
    void store.doneAt.remove(key);
    // Under an id that was used again since then a younger entry lies.
    if (store.done.get([workshopId, by, commandId])?.[2] === at)
      void store.done.remove([workshopId, by, commandId]);
  }
}

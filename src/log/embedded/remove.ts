/** Removing a workshop that is kept elsewhere. It is gone at once; its rows go a few at a time, and never hold up an append. */
import type { Database, Key } from 'lmdb';
import type { Last } from '../log.ts';
import { eventRows, headOf } from './events.ts';
import { dropSnapshot } from './snapshots.ts';
import { type Store, top } from './store.ts';

/** Rows to a transaction. */
const step = 1_000;
/** Above every node's id and every mark. */
const lastText = '\uffff';

export async function removeEvents(store: Store, workshopId: number, last: Last): Promise<boolean> {
  const removed = await store.write(() => {
    const head = headOf(store, workshopId);
    if (head?.version !== last.version || head.epoch !== last.epoch) return false;
    const [event] = eventRows(store, workshopId, last.version - 1, 1);
    if (event?.value[1] !== last.eventId) return false;
    // The version stays, so that nothing is ever appended from version 1 on.
    void store.heads.put(workshopId, [head.version, head.at, null, true]);
    const timer = store.timers.get(workshopId)?.[0] ?? null;
    if (timer !== null) void store.timersAt.remove([timer, workshopId]);
    void store.timers.remove(workshopId);
    dropSnapshot(store, workshopId);
    for (const [, userId, node] of [...store.holds.getKeys(holdsIn(workshopId))]) {
      void store.holds.remove([workshopId, userId, node]);
      void store.holdsOf.remove([node, workshopId, userId]);
    }
    return true;
  });
  if (removed) await clearRows(store, workshopId);
  return removed;
}

/** What a process that died while it removed left behind. */
export async function clearLeftovers(store: Store): Promise<void> {
  const left = await store.read(() =>
    [...store.heads.getRange()]
      .filter(({ key, value }) => value[3] === true && store.events.get([key, value[0]]) !== undefined)
      .map(({ key }) => key),
  );
  for (const workshopId of left) await clearRows(store, workshopId);
}

/** Events and marks of a workshop that was removed: the last event last, since it tells that there are more. */
export async function clearRows(store: Store, workshopId: number): Promise<void> {
  const clear = async <K extends Key>(rows: Database<unknown, K>, start: K, end: K) => {
    const some = () => {
      const keys = [...rows.getKeys({ start, end, limit: step })];
      for (const key of keys) void rows.remove(key);
      return keys.length;
    };
    while ((await store.write(some)) === step);
  };
  await clear<[number, string]>(store.marks, [workshopId, ''], [workshopId, lastText]);
  await clear<[number, number]>(store.events, [workshopId, 0], [workshopId, top]);
}

function holdsIn(workshopId: number) {
  const start: [number, number, string] = [workshopId, 0, ''];
  const end: [number, number, string] = [workshopId, top, lastText];
  return { start, end };
}

/** One time for each workshop at which it wants to be looked at, by workshop and in the order of time. */
import type { Timers } from '../log.ts';
import type { Store } from './store.ts';

export function embeddedTimers(store: Store, now: () => number): Timers {
  return {
    async claim(limit, forMs) {
      const due = () => {
        const keys = store.timersAt.getKeys({ end: [now() + 1, 0], limit });
        return Array.from(keys, ([, workshopId]) => workshopId);
      };
      if ((await store.read(due)).length === 0) return [];
      return store.write(() => {
        const claimed = due();
        for (const id of claimed) put(store, id, now() + forMs, store.timers.get(id)?.[1] ?? 0);
        return claimed;
      });
    },
    set: (workshopId, at, version) =>
      store.write(() => {
        const woken = store.timers.get(workshopId)?.[1] ?? 0;
        if (woken <= version) put(store, workshopId, at, woken);
      }),
  };
}

/** Puts the timer to now. `version` is the last one of the append that asks for it. */
export function wake(store: Store, workshopId: number, now: number, version: number): void {
  put(store, workshopId, now, version);
}

function put(store: Store, workshopId: number, at: number | null, woken: number): void {
  const before = store.timers.get(workshopId)?.[0] ?? null;
  if (before !== null) void store.timersAt.remove([before, workshopId]);
  if (at !== null) void store.timersAt.put([at, workshopId], true);
  void store.timers.put(workshopId, [at, woken]);
}

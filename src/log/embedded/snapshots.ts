/** Folded rooms of the embedded log, of each workshop one. */
import type { Snapshots } from '../log.ts';
import { eventRows, headOf } from './events.ts';
import type { Store } from './store.ts';

export function embeddedSnapshots(store: Store): Snapshots {
  return {
    keep: (workshopId, { version, epoch, room }) =>
      store.write(() => {
        const head = headOf(store, workshopId);
        const [event] = eventRows(store, workshopId, version - 1, 1);
        if (head?.epoch !== epoch || event?.key[1] !== version) return;
        const kept = store.rooms?.get(workshopId);
        if (kept !== undefined && kept[1] === epoch && kept[0] >= version) return;
        void store.rooms?.put(workshopId, [version, epoch, event.value[1], room]);
      }),
    read: (workshopId) =>
      store.read(() => {
        const kept = store.rooms?.get(workshopId);
        if (kept === undefined) return null;
        const [version, epoch, eventId, room] = kept;
        return { version, epoch, eventId, room };
      }),
  };
}

/** In the transaction that takes something out of the workshop's events. */
export function dropSnapshot(store: Store, workshopId: number): void {
  void store.rooms?.remove(workshopId);
}

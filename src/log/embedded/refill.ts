/** Putting a workshop back whose events were removed. They are written page by page, and are there once all of them are. */
import { randomUUID } from 'node:crypto';
import type { RecordedEvent } from '../../domain/evolve.ts';
import { commandMemoryMs, EventMissing } from '../log.ts';
import { headOf } from './events.ts';
import { clearRows } from './remove.ts';
import type { Store } from './store.ts';
import { wake } from './timers.ts';

export interface Refill {
  workshopId: number;
  now(): number;
}

export async function refillEvents(
  store: Store,
  { workshopId, now }: Refill,
  pages: AsyncIterable<readonly RecordedEvent[]>,
): Promise<boolean> {
  if ((await store.read(() => headOf(store, workshopId))) !== undefined) return false;
  await clearRows(store, workshopId);
  let last: RecordedEvent | undefined;
  for await (const page of pages) {
    for (const event of page) {
      const next = (last?.version ?? 0) + 1;
      if (event.version !== next) throw new EventMissing(workshopId, next);
      last = event;
    }
    await store.write(() => {
      for (const event of page) put(store, workshopId, event, now());
    });
  }
  if (last === undefined) return false;
  const { version, at } = last;
  await store.write(() => {
    void store.heads.put(workshopId, [version, at, randomUUID()]);
    wake(store, workshopId, now(), 0);
  });
  return true;
}

function put(store: Store, workshopId: number, event: RecordedEvent, now: number): void {
  const { version, eventId, type, schema, at, by, commandId, data } = event;
  void store.events.put(
    [workshopId, version],
    [at, eventId, type, schema, by, commandId, JSON.stringify(data)],
  );
  // The ids that a client may still send again. Of those that are known here more is known than that; of a command that appended
  // several events the last one counts.
  const known = store.done.get([workshopId, by, commandId]);
  if (at <= now - 2 * commandMemoryMs || (known !== undefined && known[1] !== '')) return;
  void store.done.put([workshopId, by, commandId], [version, '', now]);
  void store.doneAt.put([now, workshopId, by, commandId], true);
}

/** Rewriting events: in place, page by page, and then a new epoch of the workshop and an entry of the feed that tells of it. */
import { randomUUID } from 'node:crypto';
import type { Rewriting } from '../log.ts';
import { putHead, tellRewritten } from './append.ts';
import { eventRows, headOf, recorded, type StoredEvent } from './events.ts';
import { dropSnapshot } from './snapshots.ts';
import type { EventRow, Store } from './store.ts';

/** Events that are looked at in one turn of the loop. */
const page = 500;

export async function rewriteEvents(store: Store, workshopId: number, rewriting: Rewriting): Promise<number> {
  let version = 0;
  let changed = 0;
  for (;;) {
    const rows = await store.read(() => [...eventRows(store, workshopId, version, page)]);
    const last = rows.at(-1);
    if (last !== undefined) {
      changed += await putRewritten(store, workshopId, rows, rewriting);
      version = last.key[1];
      continue;
    }
    // Once more: another one may have been kept between two pages.
    const isWhole = await store.write(() => {
      dropSnapshot(store, workshopId);
      return changed === 0 || beginEpoch(store, workshopId, version);
    });
    if (isWhole) return changed;
  }
}

async function putRewritten(
  store: Store,
  workshopId: number,
  rows: readonly StoredEvent[],
  rewriting: Rewriting,
): Promise<number> {
  const changed = rows.flatMap((row) => {
    const data = rewritten(row, rewriting);
    if (data === undefined) return [];
    const [at, eventId, type, schema, by, commandId] = row.value;
    const value: EventRow = [at, eventId, type, schema, by, commandId, data];
    return [{ key: row.key, value }];
  });
  if (changed.length > 0)
    await store.write(() => {
      // Folded from what is taken out here: a process that dies before the epoch begins leaves none behind.
      dropSnapshot(store, workshopId);
      // What was removed meanwhile must not come back.
      for (const { key, value } of changed)
        if (store.events.get(key) !== undefined) void store.events.put(key, value);
    });
  return changed.length;
}

/** False where events were appended that were not looked at. */
function beginEpoch(store: Store, workshopId: number, version: number): boolean {
  const head = headOf(store, workshopId);
  if (head === undefined) return true;
  if (head.version > version) return false;
  putHead(store, workshopId, { ...head, epoch: randomUUID() });
  tellRewritten(store, workshopId, version);
  return true;
}

/** The data as it is to be; undefined where it stays, or cannot be parsed. */
function rewritten(row: StoredEvent, rewriting: Rewriting): string | undefined {
  try {
    const event = recorded(row);
    const data = rewriting(event);
    return data === event.data ? undefined : JSON.stringify(data);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Workshop ids, and the memory of what was created under which idempotency key. */
import { createHash } from 'node:crypto';
import type { WorkshopIds } from '../log.ts';
import { type Store, top } from './store.ts';

const requestMemoryMs = 24 * 60 * 60_000;

export function embeddedIds(store: Store, now: () => number): WorkshopIds {
  return {
    allocate: (request) => store.write(() => allocate(store, request, now())),
    raise: (above) =>
      store.write(() => {
        if (above > lastId(store)) void store.settings.put('lastId', above);
      }),
  };
}

function allocate(store: Store, request: Parameters<WorkshopIds['allocate']>[0], now: number) {
  if (request === undefined) return { workshopId: nextId(store), fingerprint: '' };
  const { userId, key, fingerprint } = request;
  forgetRequests(store, now);
  // A key is the client's text: as a digest it fits, however long it is.
  const digest = createHash('sha256').update(key).digest('base64url');
  const found = store.requests.get([userId, digest]);
  if (found !== undefined && found[2] + requestMemoryMs > now)
    return { workshopId: found[0], fingerprint: found[1] };
  const workshopId = nextId(store);
  void store.requests.put([userId, digest], [workshopId, fingerprint, now]);
  void store.requestsAt.put([now, userId, digest], true);
  return { workshopId, fingerprint };
}

function nextId(store: Store): number {
  let id = lastId(store) + 1;
  while (store.heads.get(id) !== undefined) id += 1;
  void store.settings.put('lastId', id);
  return id;
}

function lastId(store: Store): number {
  return Number(store.settings.get('lastId') ?? 0);
}

function forgetRequests(store: Store, now: number): void {
  const end: [number, number, string] = [now - requestMemoryMs, top, ''];
  for (const key of [...store.requestsAt.getKeys({ end, limit: 4 })]) {
    const [at, userId, digest] = key;
    void store.requestsAt.remove(key);
    if (store.requests.get([userId, digest])?.[2] === at) void store.requests.remove([userId, digest]);
  }
}

/** Workshop ids, and the memory of what was created under which idempotency key. Inside a write transaction. */
import { createHash } from 'node:crypto';
import type { Store } from './store.ts';
import { top } from './store.ts';

const requestMemoryMs = 24 * 60 * 60_000;

export interface IdRequest {
  userId: number;
  key: string;
  fingerprint: string;
}

export function allocateIn(store: Store, request: IdRequest | undefined, now: number) {
  if (request === undefined) return { workshopId: nextId(store), fingerprint: '' };
  const { userId, key, fingerprint } = request;
  forgetRequests(store, now);
  // A key is the client's text: as a digest it fits, however long it is.
  const digest = createHash('sha256').update(key).digest('base64url');
  const known = store.requests.get([userId, digest]);
  if (known !== undefined && known[2] + requestMemoryMs > now)
    return { workshopId: known[0], fingerprint: known[1] };
  const workshopId = nextId(store);
  void store.requests.put([userId, digest], [workshopId, fingerprint, now]);
  void store.requestsAt.put([now, userId, digest], true);
  return { workshopId, fingerprint };
}

export function raiseIdsIn(store: Store, above: number): void {
  if (above > lastId(store)) void store.settings.put('lastId', above);
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

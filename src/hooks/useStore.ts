/** Reading what the client keeps: anything with `subscribe` and `snapshot`, or nothing yet. */
import { useCallback, useSyncExternalStore } from 'react';

export interface Store<T> {
  subscribe(listener: () => void): () => void;
  snapshot(): T;
}

/** The store's snapshot, or `absent` (always the same object) while there is no store, as on a server. */
export function useStore<T>(store: Store<T> | null, absent: T): T {
  const subscribe = useCallback((listener: () => void) => store?.subscribe(listener) ?? (() => {}), [store]);
  const snapshot = () => store?.snapshot() ?? absent;
  return useSyncExternalStore(subscribe, snapshot, () => absent);
}

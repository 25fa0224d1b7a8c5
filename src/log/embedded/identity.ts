/** The identity of the log in this folder. A copy of the folder has it too, and nothing tells the two apart. */
import type { Identified, LogIdentity } from '../identity.ts';
import type { Store } from './store.ts';

export function embeddedIdentity(store: Store): LogIdentity {
  function found(): Identified {
    const identity = store.settings.get('identity');
    return { identity: identity === undefined ? null : String(identity), run: '' };
  }

  return {
    read: () => store.read(found),
    claim: (identity) =>
      store.write(() => {
        if (found().identity === null) void store.settings.put('identity', identity);
        return found();
      }),
    change: (identity) =>
      store.write(() => {
        void store.settings.put('identity', identity);
        return found();
      }),
  };
}

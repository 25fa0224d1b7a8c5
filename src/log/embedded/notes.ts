/** Notes beside the log in the folder. They lie among the settings, so that folders of older versions need no other database for them. */
import type { Notes } from '../notes.ts';
import type { Store } from './store.ts';

const prefix = 'note:';
/** Above all that begin with it. */
const end = 'note;';

export function embeddedNotes(store: Store): Notes {
  return {
    all: () =>
      store.read(() => {
        const found = store.settings.getRange({ start: prefix, end });
        return new Map([...found].map(({ key, value }) => [key.slice(prefix.length), String(value)]));
      }),
    put: (notes) =>
      store.write(() => {
        for (const [name, text] of notes)
          if (text === null) void store.settings.remove(`${prefix}${name}`);
          else void store.settings.put(`${prefix}${name}`, text);
      }),
  };
}

/** Notes beside the log in Redis: one hash. */
import type { Notes } from '../notes.ts';
import { globalKeys } from './keys.ts';
import type { Store } from './store.ts';

export function redisNotes({ redis, reads }: Store): Notes {
  return {
    all: async () => new Map(Object.entries(await reads.hgetall(globalKeys.notes))),
    async put(notes) {
      const kept = [...notes].flatMap(([name, text]) => (text === null ? [] : [name, text]));
      const gone = [...notes].flatMap(([name, text]) => (text === null ? [name] : []));
      await redis.wsNotes(globalKeys.notes, kept.length, ...kept, ...gone);
    },
  };
}

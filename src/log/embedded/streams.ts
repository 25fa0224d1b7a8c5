/** Streams of the embedded log as a whole: which there are, and putting back, removing and rewriting them. */
import type { Streams } from '../log.ts';
import { refillEvents } from './refill.ts';
import { removeEvents } from './remove.ts';
import { rewriteEvents } from './rewrite.ts';
import type { Store } from './store.ts';

export function embeddedStreams(store: Store, now: () => number): Streams {
  const inTurn = turns();
  const open = (partition: number) =>
    store.read(() => {
      if (partition !== 0) throw new RangeError(`there is no partition ${partition} of 1`);
      const heads = [...store.heads.getRange()].filter(({ value }) => value[3] !== true);
      return new Map(heads.map(({ key, value }) => [key, value[0]]));
    });
  return {
    ids: async (partition) => [...(await open(partition)).keys()],
    open,
    refill: (workshopId, pages) => inTurn(workshopId, () => refillEvents(store, { workshopId, now }, pages)),
    remove: (workshopId, last) => inTurn(workshopId, () => removeEvents(store, workshopId, last)),
    rewrite: (workshopId, rewriting) => inTurn(workshopId, () => rewriteEvents(store, workshopId, rewriting)),
  };
}

/** Each of these takes several transactions: those of one workshop are done one after the other. */
function turns() {
  const last = new Map<number, Promise<unknown>>();
  return <T>(workshopId: number, work: () => Promise<T>): Promise<T> => {
    const before = last.get(workshopId) ?? Promise.resolve();
    // A failure is its own caller's.
    const mine = before.then(work, work);
    last.set(workshopId, mine);
    const forget = () => {
      if (last.get(workshopId) === mine) last.delete(workshopId);
    };
    mine.then(forget, forget);
    return mine;
  };
}

/** What takes several transactions of one workshop, one after the other. */

export type Turns = <T>(workshopId: number, work: () => Promise<T>) => Promise<T>;

export function turns(): Turns {
  const last = new Map<number, Promise<unknown>>();
  return (workshopId, work) => {
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

/** When someone is there, on which device, and how that ends. */
import type { Act } from './acts.ts';

export interface Visit {
  /** 0 is the one on which everything is done; others only look on. */
  device: number;
  from: number;
  to: number;
  /** `drops`: the connection breaks and does not come back. `stays`: until the host ends it. */
  ending: 'leaves' | 'drops' | 'stays' | 'removed';
  /** While the connection is broken, in order. */
  gaps: { from: number; to: number }[];
}

interface Visitor {
  number: number;
  visits: readonly Visit[];
}

/** Whether someone is connected on the first device through all of that time. */
export function isThere({ visits }: Visitor, from: number, to = from): boolean {
  return visits.some(
    (visit) =>
      visit.device === 0 &&
      visit.from <= from &&
      to < visit.to &&
      visit.gaps.every((gap) => to < gap.from || gap.to < from),
  );
}

export function visitActs({ number, visits }: Visitor): Act[] {
  return visits.flatMap(({ device, from, to, ending, gaps }) => {
    const at = (atMs: number, name: 'join' | 'leave' | 'cut' | 'return'): Act => ({
      ...{ atMs, by: number, name, device },
    });
    const acts = [at(from, 'join')];
    for (const gap of gaps) acts.push(at(gap.from, 'cut'), at(gap.to, 'return'));
    if (ending === 'leaves') acts.push(at(to, 'leave'));
    if (ending === 'drops') acts.push(at(to, 'cut'));
    return acts;
  });
}

/** Ends every visit that goes on at that time, and takes back those that were still to come. */
export function endVisits(visits: readonly Visit[], at: number, ending: Visit['ending']): Visit[] {
  return visits
    .filter(({ from }) => from < at)
    .map((visit) =>
      visit.to <= at ? visit : { ...visit, to: at, ending, gaps: visit.gaps.filter(({ to }) => to < at) },
    );
}

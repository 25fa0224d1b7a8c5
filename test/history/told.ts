/** Histories of the domain's cast as pages, at times of the test's own: `told([0, scheduled()], [10, opened], …)`, in minutes. */
import type { NewEvent } from '../../src/domain/define.ts';
import type { RecordedEvent } from '../../src/domain/evolve.ts';
import { begin, recorded } from '../domain/given.ts';

export type Happening = readonly [minute: number, ...events: NewEvent[]];

export const minute = (count: number) => begin + count * 60_000;
export const isoMinute = (count: number) => new Date(minute(count)).toISOString();

export function told(...happenings: readonly Happening[]): RecordedEvent[] {
  let version = 0;
  return happenings.flatMap(([at, ...events]) =>
    events.map((event) => recorded(event, ++version, minute(at))),
  );
}

/** In pages of a few events, so that every fold meets their borders. */
export async function* paged(events: readonly RecordedEvent[], size = 3): AsyncGenerator<RecordedEvent[]> {
  for (let done = 0; done < events.length; done += size) yield events.slice(done, done + size);
}

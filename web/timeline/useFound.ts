/** Looks through a workshop's events as they are sent, line by line, until there are enough. */
import { useCallback, useEffect, useRef, useState } from 'react';
import { basePath } from '../shared/base.ts';

export interface Sought {
  userId?: number | undefined;
  kind: string;
  text: string;
}

/** An event of the history, as far as it is shown. */
export interface Found {
  version: number;
  type: string;
  at: string;
  data: Record<string, unknown>;
}

export interface Search {
  state: 'none' | 'searching' | 'done' | 'failed';
  found: Found[];
  /** Events that were looked at. */
  read: number;
  isMore: boolean;
}

export const mostFound = 200;
const nothing: Search = { state: 'none', found: [], read: 0, isMore: false };

export function useFound(workshopId: number) {
  const [search, setSearch] = useState(nothing);
  const reading = useRef<AbortController>(undefined);
  const find = useCallback(
    async (sought: Sought) => {
      reading.current?.abort();
      const mine = new AbortController();
      reading.current = mine;
      const show = (next: Search) => !mine.signal.aborted && setSearch(next);
      let next: Search = { ...nothing, state: 'searching' };
      show(next);
      try {
        for await (const events of eventsOf(workshopId, sought, mine.signal)) {
          const hits = events.filter((event) => hasText(event, sought.text));
          const found = [...next.found, ...hits].slice(0, mostFound);
          const isMore = next.found.length + hits.length > mostFound;
          next = { ...next, found, isMore, read: next.read + events.length };
          show(next);
          if (isMore) break;
        }
        show({ ...next, state: 'done' });
      } catch {
        show({ ...next, state: 'failed' });
      }
      mine.abort();
    },
    [workshopId],
  );
  const clear = useCallback(() => {
    reading.current?.abort();
    setSearch(nothing);
  }, []);
  useEffect(() => () => reading.current?.abort(), []);
  return { search, find, clear };
}

async function* eventsOf(
  workshopId: number,
  { userId, kind }: Sought,
  signal: AbortSignal,
): AsyncGenerator<Found[]> {
  const query = new URLSearchParams({
    ...(userId !== undefined && { userId: String(userId) }),
    ...(kind !== '' && { type: kind }),
  });
  const answer = await fetch(`${basePath}/api/workshops/${workshopId}/events?${query}`, {
    headers: { accept: 'application/x-ndjson' },
    signal,
  });
  if (!answer.ok || answer.body === null) throw new Error(`answered ${answer.status}`);
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { done, value = '' } = await reader.read();
    const lines = (rest + value).split('\n');
    rest = done ? '' : (lines.pop() ?? '');
    // Our own server's lines: the shape follows from the route.
    yield lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Found);
    if (done) return;
  }
}

function hasText({ data }: Found, text: string): boolean {
  const wanted = text.toLocaleLowerCase();
  if (wanted === '') return true;
  return Object.values(data).some(
    (value) => typeof value === 'string' && value.toLocaleLowerCase().includes(wanted),
  );
}

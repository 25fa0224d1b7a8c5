/** What is kept of a workshop that is over: who was there, and what was said, page by page. */
import { useCallback, useEffect, useState } from 'react';
import { type Answer, type AttendeeRecord, api, type ListedMessage, type Page } from '../shared/api.ts';

export interface PagedList<T> {
  items: T[];
  state: 'loading' | 'shown' | 'refused';
  hasMore: boolean;
  more(): void;
}

/** The tables follow the log: right after the end they may be a moment behind. */
const retryMs = 2_000;

export function useAftermath(workshopId: number) {
  const attendees = usePages<AttendeeRecord>((cursor) =>
    atLeastNow(workshopId, (minVersion) => api.attendees(workshopId, { cursor, minVersion })),
  );
  const chat = usePages<ListedMessage>((cursor) =>
    atLeastNow(workshopId, (minVersion) => api.chat(workshopId, { cursor, minVersion })),
  );
  const came = attendees.items.filter(({ presentMs }) => presentMs > 0);
  return {
    attendees: { ...attendees, items: came.sort((one, other) => other.presentMs - one.presentMs) },
    chat,
  };
}

function usePages<T>(fetchPage: (cursor?: string) => Promise<Answer<Page<T>>>): PagedList<T> {
  const [items, setItems] = useState<T[]>([]);
  const [state, setState] = useState<PagedList<T>['state']>('loading');
  const [next, setNext] = useState<string | null>(null);
  // The lists of one workshop: a page of another one is another component.
  const [ask] = useState(() => fetchPage);
  const load = useCallback(
    async (cursor?: string) => {
      const answer = await ask(cursor);
      if (!answer.ok) {
        if (answer.error.code === 'unavailable') setTimeout(() => void load(cursor), retryMs);
        else setState('refused');
        return;
      }
      setItems((before) => (cursor === undefined ? answer.value.items : [...before, ...answer.value.items]));
      setNext(answer.value.nextCursor);
      setState('shown');
    },
    [ask],
  );
  useEffect(() => void load(), [load]);
  return { items, state, hasMore: next !== null, more: () => void (next !== null && load(next)) };
}

/** Reads what the tables hold once they have come to where the workshop is. */
async function atLeastNow<T>(
  workshopId: number,
  read: (minVersion: number) => Promise<Answer<T>>,
): Promise<Answer<T>> {
  const workshop = await api.workshop(workshopId);
  return workshop.ok ? read(workshop.value.version) : workshop;
}

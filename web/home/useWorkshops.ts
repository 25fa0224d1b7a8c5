/** The workshops that one may see, sorted into what is on, what comes and what is past; looked at anew while it is looked at. */
import { useCallback, useEffect, useMemo, useState } from 'react';
import { api, type Refusal, type Workshop } from '../shared/api.ts';

/** How often the list is looked at anew, in milliseconds. */
const refreshMs = 5_000;
/** And while the server can't tell it, as in the moments after its start. */
const retryMs = 1_000;

export interface WorkshopLists {
  /** null until known. */
  lists: { live: Workshop[]; upcoming: Workshop[]; past: Workshop[] } | null;
  isAway: boolean;
  hasMore: boolean;
  refresh(): void;
  more(): void;
}

export function useWorkshops(onRefused: (error: Refusal) => void): WorkshopLists {
  const [workshops, setWorkshops] = useState<Workshop[] | null>(null);
  const [next, setNext] = useState<string | null>(null);
  const [pages, setPages] = useState(1);
  const [isAway, setIsAway] = useState(false);

  const load = useCallback(
    async (cursor?: string) => {
      const answer = await api.workshops(cursor);
      const away = !answer.ok && answer.error.code === 'unavailable';
      setIsAway(away);
      if (away) return;
      if (!answer.ok) return onRefused(answer.error);
      const { items, nextCursor } = answer.value;
      setWorkshops((before) => (cursor === undefined ? items : [...(before ?? []), ...items]));
      setPages((before) => (cursor === undefined ? 1 : before + 1));
      setNext(nextCursor);
    },
    [onRefused],
  );
  useEffect(() => void load(), [load]);
  useEffect(() => {
    // Whoever went on to further pages keeps them.
    if (pages > 1) return;
    const refresh = () => {
      if (document.visibilityState === 'visible') void load();
    };
    const timer = setInterval(refresh, isAway ? retryMs : refreshMs);
    document.addEventListener('visibilitychange', refresh);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', refresh);
    };
  }, [load, pages, isAway]);

  const lists = useMemo(() => (workshops === null ? null : sorted(workshops)), [workshops]);
  return {
    ...{ lists, isAway, hasMore: next !== null },
    refresh: () => void load(),
    more: () => void (next !== null && load(next)),
  };
}

function sorted(workshops: readonly Workshop[]) {
  const time = ({ scheduledAt }: Workshop) => Date.parse(scheduledAt);
  const over = ({ status }: Workshop) => status === 'ended' || status === 'cancelled';
  const on = ({ status }: Workshop) => status === 'live' || status === 'lobby';
  const soonest = (one: Workshop, other: Workshop) => time(one) - time(other);
  return {
    live: workshops.filter(on).sort(soonest),
    upcoming: workshops.filter(({ status }) => status === 'scheduled').sort(soonest),
    past: workshops.filter(over).sort((one, other) => soonest(other, one)),
  };
}

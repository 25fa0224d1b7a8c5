/** What a route of admins says, read anew by itself while it is looked at. */
import { useCallback, useEffect, useState } from 'react';
import type { Answer, Refusal } from '../shared/api.ts';

export interface Polled<T> {
  value: T | null;
  /** When it was read. */
  at: Date | null;
  error: Refusal | null;
  refresh(): Promise<void>;
}

/** `ask` has to stay the same. */
export function usePolled<T>(ask: () => Promise<Answer<T>>, everyMs: number): Polled<T> {
  const [view, setView] = useState<Omit<Polled<T>, 'refresh'>>({ value: null, at: null, error: null });
  const refresh = useCallback(async () => {
    const answer = await ask();
    setView((before) =>
      answer.ok ? { value: answer.value, at: new Date(), error: null } : { ...before, error: answer.error },
    );
  }, [ask]);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let over = false;
    const go = async () => {
      if (document.visibilityState === 'visible') await refresh();
      if (!over) timer = setTimeout(() => void go(), everyMs);
    };
    void go();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [refresh, everyMs]);
  return { ...view, refresh };
}

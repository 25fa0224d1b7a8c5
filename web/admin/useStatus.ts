/** The state of everything, read anew by itself while it is looked at. */
import { useCallback, useEffect, useState } from 'react';
import type { Refusal } from '../shared/api.ts';
import { operators, type Status } from './status.ts';

const refreshMs = 3_000;

export interface StatusView {
  status: Status | null;
  /** When it was read. */
  at: Date | null;
  error: Refusal | null;
  refresh(): Promise<void>;
}

export function useStatus(): StatusView {
  const [view, setView] = useState<Omit<StatusView, 'refresh'>>({ status: null, at: null, error: null });
  const refresh = useCallback(async () => {
    const answer = await operators.status();
    setView((before) =>
      answer.ok ? { status: answer.value, at: new Date(), error: null } : { ...before, error: answer.error },
    );
  }, []);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let over = false;
    const go = async () => {
      if (document.visibilityState === 'visible') await refresh();
      if (!over) timer = setTimeout(() => void go(), refreshMs);
    };
    void go();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [refresh]);
  return { ...view, refresh };
}

/** Long tables begin with their first rows; the rest is a press away. */
import { type ReactNode, useState } from 'react';
import { useTimelineWords } from './words.ts';

const first = 20;

export function useRest<T>(rows: readonly T[]): { shown: readonly T[]; more: ReactNode } {
  const words = useTimelineWords();
  const [isWhole, setWhole] = useState(false);
  if (isWhole || rows.length <= first) return { shown: rows, more: null };
  return {
    shown: rows.slice(0, first),
    more: (
      <button type="button" className="quiet" onClick={() => setWhole(true)}>
        {words.rest(rows.length - first)}
      </button>
    ),
  };
}

/** Does something for an operator and says what came of it. */
import { useCallback, useState } from 'react';
import type { Answer } from '../shared/api.ts';
import type { Notice } from '../shared/NoticeLine.tsx';
import { sayRefusal } from '../words/words.ts';

export type Act = <T>(asked: Promise<Answer<T>>, say: (value: T) => string) => Promise<void>;

export function useActs(after: () => Promise<void>): { notice: Notice | null; act: Act } {
  const [notice, setNotice] = useState<Notice | null>(null);
  const act = useCallback<Act>(
    async (asked, say) => {
      const answer = await asked;
      setNotice(answer.ok ? { text: say(answer.value) } : { text: sayRefusal(answer.error), problem: true });
      await after();
    },
    [after],
  );
  return { notice, act };
}

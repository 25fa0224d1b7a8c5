/** What the tab is called while the page is shown. */
import { useEffect } from 'react';
import { useWords } from '../words/words.ts';

export function useTitle(title: string): void {
  const { app } = useWords();
  useEffect(() => {
    document.title = title === '' ? app : `${title} · ${app}`;
    return () => {
      document.title = app;
    };
  }, [title, app]);
}

/** Puts what the reader chose on the document: colours by `data-theme`, and the language that its words are in. */
import { useEffect, useSyncExternalStore } from 'react';
import { language } from '../words/words.ts';
import { preferences } from './preferences.ts';

export function usePreferences(): void {
  const { theme, language: chosen } = useSyncExternalStore(
    preferences.subscribe,
    preferences.snapshot,
    preferences.snapshot,
  );
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is chosen decides which language it is
  useEffect(() => {
    const { documentElement } = document;
    if (theme === 'system') delete documentElement.dataset.theme;
    else documentElement.dataset.theme = theme;
    documentElement.lang = language();
  }, [theme, chosen]);
}

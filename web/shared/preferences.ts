/** What a reader chose of how the pages look and speak, kept in the browser where it keeps notes. */

export interface Preferences {
  theme: 'system' | 'light' | 'dark';
  /** Empty: the browser's. */
  language: string;
}

const key = 'workshop-rooms.preferences';
const themes = ['system', 'light', 'dark'] as const;
const listeners = new Set<() => void>();
let current: Preferences = { theme: 'system', language: '' };

export const preferences = {
  snapshot: (): Preferences => current,
  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  choose(changes: Partial<Preferences>): void {
    current = { ...current, ...changes };
    try {
      localStorage.setItem(key, JSON.stringify(current));
    } catch {
      // Then it counts for as long as the page is open.
    }
    for (const listener of listeners) listener();
  },
  /** Reads what was chosen before. */
  load(): void {
    try {
      const noted: unknown = JSON.parse(localStorage.getItem(key) ?? 'null');
      if (typeof noted !== 'object' || noted === null) return;
      const theme = 'theme' in noted ? themes.find((one) => one === noted.theme) : undefined;
      const language = 'language' in noted && typeof noted.language === 'string' ? noted.language : '';
      current = { theme: theme ?? 'system', language };
    } catch {
      // No notes, or someone else's under our key.
    }
  },
};

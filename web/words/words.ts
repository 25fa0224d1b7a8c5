/** What codes and times read as to people, in the language that is chosen. */
import { useSyncExternalStore } from 'react';
import type { Refusal } from '../shared/api.ts';
import { preferences } from '../shared/preferences.ts';
import { de } from './de.ts';
import { en, type Words } from './en.ts';

export const languages = { en: 'English', de: 'Deutsch' } as const;
export type Language = keyof typeof languages;
const tables: Record<Language, Words> = { en, de };

/** Of the browser's languages, and English where none of them is one of ours. */
function ofBrowser(): Language {
  const wished = typeof navigator === 'undefined' ? [] : navigator.languages;
  return wished.map((tag) => tag.slice(0, 2)).find(isLanguage) ?? 'en';
}

function isLanguage(tag: string): tag is Language {
  return Object.hasOwn(tables, tag);
}

export function language(): Language {
  const { language: chosen } = preferences.snapshot();
  return isLanguage(chosen) ? chosen : ofBrowser();
}

/** With the reader's own region where it is one of that language: `en-GB` writes dates as they are written there. */
function locale(): string {
  const own = typeof navigator === 'undefined' ? [] : navigator.languages;
  return own.find((tag) => tag.startsWith(language())) ?? language();
}

export function words(): Words {
  return tables[language()];
}

/** The same for a component, which renders anew when another language is chosen. */
export function useWords(): Words {
  useSyncExternalStore(preferences.subscribe, preferences.snapshot, preferences.snapshot);
  return words();
}

export function sayRefusal(error: Refusal): string {
  const { refusals, tooFast, didNotWork } = words();
  // Never sooner than it works.
  if (error.code === 'rate_limited' && error.retryAfterMs !== undefined)
    return tooFast(Math.max(1, Math.ceil(error.retryAfterMs / 1_000)));
  return refusals[error.code] ?? didNotWork(error.message);
}

export function sayTime(time: Date | string): string {
  return new Date(time).toLocaleString(locale(), { dateStyle: 'medium', timeStyle: 'short' });
}

/** With weekday and time zone: for what is still to come. */
export function sayMoment(time: Date | string): string {
  return new Date(time).toLocaleString(locale(), {
    ...{ weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' },
    ...{ hour: 'numeric', minute: '2-digit', timeZoneName: 'short' },
  });
}

export function sayClock(time: Date | string): string {
  return new Date(time).toLocaleTimeString(locale(), { timeStyle: 'short' });
}

export function sayDay(time: Date): string {
  const { chat } = words();
  const days = Math.round((startOfDay(new Date()) - startOfDay(time)) / 86_400_000);
  if (days === 0) return chat.today;
  if (days === 1) return chat.yesterday;
  return time.toLocaleDateString(locale(), { weekday: 'long', day: 'numeric', month: 'long' });
}

function startOfDay(time: Date): number {
  return new Date(time).setHours(0, 0, 0, 0);
}

export function sayNumber(n: number): string {
  return n.toLocaleString(locale());
}

/** 83,000 → `1:23`; hours where there are any. */
export function sayLength(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const two = (n: number) => String(n).padStart(2, '0');
  const [h, m, s] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

export function sayZone(): string {
  return new Intl.DateTimeFormat(locale()).resolvedOptions().timeZone;
}

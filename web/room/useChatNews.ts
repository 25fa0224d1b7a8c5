/** What a screen reader is told: messages of others that came since one entered, together, and as a number when they are many. */
import { useEffect, useRef, useState } from 'react';
import type { ChatMessage } from '../../src/hooks/useWorkshopChat.ts';
import type { User } from '../shared/api.ts';
import { words } from '../words/words.ts';

/** What comes within this is told together, in milliseconds. */
const batchMs = 1_500;
const fewEnough = 3;

export function useChatNews(messages: ChatMessage[], me: User): string {
  const [news, setNews] = useState('');
  const heard = useRef<number | null>(null);
  const latest = useRef(messages);
  latest.current = messages;
  const last = messages.at(-1)?.id ?? 0;

  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const { userId: mine } = me;
  useEffect(() => {
    heard.current ??= last;
    // The first message of a batch sets its time: what goes on and on is told all the same.
    if (last <= heard.current || timer.current !== undefined) return;
    timer.current = setTimeout(() => {
      timer.current = undefined;
      const from = heard.current ?? 0;
      heard.current = latest.current.at(-1)?.id ?? from;
      const fresh = latest.current.filter(
        ({ id, userId, message }) => id > from && userId !== mine && message !== null,
      );
      if (fresh.length > fewEnough) setNews(words().chat.news(fresh.length));
      else if (fresh.length > 0)
        setNews(fresh.map(({ displayName, message }) => `${displayName}: ${message}`).join('. '));
    }, batchMs);
  }, [last, mine]);
  useEffect(() => () => clearTimeout(timer.current), []);
  return news;
}

/** Says when the connection is away and what happens next, and for a moment that it is back. Always there to be heard. */
import { useEffect, useRef, useState, useSyncExternalStore } from 'react';
import type { WorkshopSocket } from '../../src/hooks/useWorkshopSocket.ts';
import { useWords } from '../words/words.ts';

const backMs = 4_000;

interface BannerProps {
  room: WorkshopSocket;
  /** Whether there should be a connection. */
  active: boolean;
}

export function ConnectionBanner({ room, active }: BannerProps) {
  const { connection } = useWords();
  const { connected, joined, workshopState } = room;
  const online = useOnline();
  // Before the first state there is no connection to miss.
  const away = active && !joined && workshopState !== null;
  const isBack = useIsBack(away);
  const matter = connected ? connection.rejoining : online ? connection.lost : connection.offline;
  return (
    <div role="status" className={away ? 'banner away' : isBack && active ? 'banner back' : ''}>
      {away && (
        <span>
          {matter} {!connected && online && connection.again}
        </span>
      )}
      {away && !connected && (
        <button type="button" onClick={room.retryNow}>
          {connection.tryNow}
        </button>
      )}
      {!away && isBack && active && <span>{connection.back}</span>}
    </div>
  );
}

/** True for a moment after having been away. */
function useIsBack(away: boolean): boolean {
  const [isBack, setIsBack] = useState(false);
  const wasAway = useRef(false);
  useEffect(() => {
    if (away) wasAway.current = true;
    if (away || !wasAway.current) return;
    wasAway.current = false;
    setIsBack(true);
    const timer = setTimeout(() => setIsBack(false), backMs);
    return () => clearTimeout(timer);
  }, [away]);
  return isBack;
}

function useOnline(): boolean {
  return useSyncExternalStore(
    (listener) => {
      addEventListener('online', listener);
      addEventListener('offline', listener);
      return () => {
        removeEventListener('online', listener);
        removeEventListener('offline', listener);
      };
    },
    () => navigator.onLine,
    () => true,
  );
}

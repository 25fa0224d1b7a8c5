/** Says when the connection is away, and for a moment that it is back. Empty otherwise, but always there to be heard. */
import { useEffect, useRef, useState } from 'react';
import type { WorkshopSocket } from '../src/hooks/useWorkshopSocket.ts';

const backMs = 4_000;

interface BannerProps {
  room: WorkshopSocket;
  /** Whether there should be a connection. */
  active: boolean;
}

export function ConnectionBanner({ room, active }: BannerProps) {
  const { connected, joined, workshopState } = room;
  const [isBack, setIsBack] = useState(false);
  const wasAway = useRef(false);
  // Before the first state there is no connection to miss.
  const away = active && !joined && workshopState !== null;

  useEffect(() => {
    if (away) wasAway.current = true;
    if (away || !wasAway.current) return;
    wasAway.current = false;
    setIsBack(true);
    const timer = setTimeout(() => setIsBack(false), backMs);
    return () => clearTimeout(timer);
  }, [away]);

  return (
    <div role="status" className={away ? 'banner away' : isBack ? 'banner back' : ''}>
      {away && (
        <span>Connection lost. What you see may be old; what you send will go out when it is back.</span>
      )}
      {away && !connected && (
        <button type="button" onClick={room.retryNow}>
          Retry now
        </button>
      )}
      {!away && isBack && active && <span>Back online.</span>}
    </div>
  );
}

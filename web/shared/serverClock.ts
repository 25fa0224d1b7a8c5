/** The server's clock, as far as a browser can tell: countdowns go by it, since a device may be minutes off. */
import { useEffect, useState } from 'react';

let aheadMs = 0;

/** `now` is what the server said between those two moments of this device. */
export function setServerClock(now: string, askedAt: number, answeredAt: number): void {
  const told = Date.parse(now);
  if (Number.isFinite(told)) aheadMs = told - (askedAt + answeredAt) / 2;
}

export function serverNow(): number {
  return Date.now() + aheadMs;
}

/** The server's time, rendered anew every second while it matters. */
export function useServerNow(ticking = true): number {
  const [now, setNow] = useState(serverNow);
  useEffect(() => {
    if (!ticking) return;
    setNow(serverNow());
    const timer = setInterval(() => setNow(serverNow()), 1_000);
    return () => clearInterval(timer);
  }, [ticking]);
  return now;
}

/** Who was asked to be quiet and has not been given the floor anew since, for what plays and records sound. */
import { useEffect, useState } from 'react';
import type { WorkshopSocket } from '../../src/hooks/useWorkshopSocket.ts';

const nobody: ReadonlySet<number> = new Set();

export function useMuted({ socket }: Pick<WorkshopSocket, 'socket'>): ReadonlySet<number> {
  const [muted, setMuted] = useState(nobody);
  useEffect(() => {
    if (socket === null) return;
    const mute = ({ userId }: { userId: number }) => setMuted((before) => new Set(before).add(userId));
    const unmute = ({ userId }: { userId: number }) =>
      setMuted((before) => new Set([...before].filter((id) => id !== userId)));
    const lifts = ['speaker-approved', 'speaker-revoked', 'user-left', 'user-removed'];
    socket.on('workshop:user-muted', mute);
    for (const name of lifts) socket.on(`workshop:${name}`, unmute);
    return () => {
      socket.off('workshop:user-muted', mute);
      for (const name of lifts) socket.off(`workshop:${name}`, unmute);
    };
  }, [socket]);
  return muted;
}

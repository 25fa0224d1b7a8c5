/** The workshop's record with what was changed since it was read: no state of the room tells of its description or its seats. */
import { useEffect, useMemo, useState } from 'react';
import type { WorkshopSocket } from '../../src/hooks/useWorkshopSocket.ts';
import type { Workshop } from '../shared/api.ts';

type Changes = Partial<
  Pick<Workshop, 'title' | 'description' | 'scheduledAt' | 'durationMinutes' | 'capacity' | 'version'>
>;

export function useKeptUp({ socket }: WorkshopSocket, read: Workshop | null): Workshop | null {
  const [changes, setChanges] = useState<Changes>({});
  useEffect(() => {
    if (socket === null) return;
    const hear = ({ title, description, scheduledAt, durationMinutes, capacity, version }: Changes) => {
      const told = { title, description, scheduledAt, durationMinutes, capacity, version };
      const given = Object.entries(told).filter(([, value]) => value !== undefined);
      setChanges((before) => ({ ...before, ...Object.fromEntries(given) }));
    };
    socket.on('workshop:workshop-updated', hear);
    return () => void socket.off('workshop:workshop-updated', hear);
  }, [socket]);
  return useMemo(() => read && { ...read, ...changes }, [read, changes]);
}

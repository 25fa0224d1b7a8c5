/**
 * Since when each hand is up, by the server's clock. Events tell it for hands that go up while one is here; for those that were
 * up before, the list of attendees does.
 */
import { useEffect, useRef, useState } from 'react';
import type { WorkshopSocket } from '../../src/hooks/useWorkshopSocket.ts';
import { api } from '../shared/api.ts';

type Times = ReadonlyMap<number, number>;

/** A room so big that its list has more pages than this is not walked for the sake of a few minutes' waiting. */
const pagesAtMost = 10;

export function useHandTimes(room: WorkshopSocket, workshopId: number): Times {
  const { socket, raisedHands } = room;
  const [times, setTimes] = useState<Times>(new Map());
  const asked = useRef(false);

  useEffect(() => {
    if (socket === null) return;
    const note = ({ userId, at }: { userId: number; at: string }) =>
      setTimes((before) => new Map(before).set(userId, Date.parse(at)));
    socket.on('workshop:hand-raised', note);
    return () => void socket.off('workshop:hand-raised', note);
  }, [socket]);

  const unknown = raisedHands.some((userId) => !times.has(userId));
  useEffect(() => {
    if (!unknown || asked.current) return;
    asked.current = true;
    void earlierTimes(workshopId).then((earlier) => {
      setTimes((before) => new Map([...earlier, ...before]));
    });
  }, [unknown, workshopId]);
  return times;
}

async function earlierTimes(workshopId: number): Promise<Map<number, number>> {
  const found = new Map<number, number>();
  let cursor: string | undefined;
  for (let page = 0; page < pagesAtMost; page++) {
    const answer = await api.attendees(workshopId, { cursor });
    if (!answer.ok) break;
    for (const { userId, handRaisedAt } of answer.value.items)
      if (handRaisedAt !== null) found.set(userId, Date.parse(handRaisedAt));
    if (answer.value.nextCursor === null) break;
    cursor = answer.value.nextCursor;
  }
  return found;
}

/** Hands are noticed wherever a host looks: this says who raised one, once it has been up for a moment. */
import { useEffect, useRef, useState } from 'react';
import type { WorkshopSocket } from '../../src/hooks/useWorkshopSocket.ts';
import { words } from '../words/words.ts';

export function useHandAlert(
  { raisedHands, attendees }: WorkshopSocket,
  active: boolean,
  me: number,
): string {
  const [alert, setAlert] = useState('');
  const known = useRef<readonly number[] | null>(null);
  useEffect(() => {
    const before = known.current;
    known.current = raisedHands;
    if (!active || before === null) return;
    const fresh = raisedHands.filter((userId) => userId !== me && !before.includes(userId)).at(-1);
    if (raisedHands.length === 0) setAlert('');
    if (fresh === undefined) return;
    const { hands } = words();
    const name = attendees.find(({ userId }) => userId === fresh)?.displayName ?? hands.someone(fresh);
    setAlert(hands.raised(name, raisedHands.length));
  }, [raisedHands, attendees, active, me]);
  return alert;
}

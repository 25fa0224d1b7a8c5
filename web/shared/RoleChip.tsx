/** What sets someone apart; most only listen, and of them nothing is said. */
import type { AttendeeInfo } from '../../src/hooks/useWorkshopSocket.ts';
import { useWords } from '../words/words.ts';

export function RoleChip({ isHost, isCoHost, canSpeak }: AttendeeInfo) {
  const { people } = useWords();
  const role = isHost ? people.host : isCoHost ? people.coHost : canSpeak ? people.speaker : null;
  return role && <span className={isHost || isCoHost ? 'chip leads' : 'chip speaks'}>{role}</span>;
}

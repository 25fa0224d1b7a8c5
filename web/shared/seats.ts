/** Who is on stage, and who listens. */
import type { AttendeeInfo } from '../../src/hooks/useWorkshopSocket.ts';

export function isOnStage({ isHost, isCoHost, canSpeak }: AttendeeInfo): boolean {
  return isHost || isCoHost || canSpeak;
}

/** Those whose name has the text in it; on stage the host stands first, then the co-hosts. */
export function seated(attendees: readonly AttendeeInfo[], sought = '') {
  const wanted = sought.toLocaleLowerCase();
  const found =
    wanted === ''
      ? attendees
      : attendees.filter(({ displayName }) => displayName.toLocaleLowerCase().includes(wanted));
  const rank = ({ isHost, isCoHost }: AttendeeInfo) => (isHost ? 0 : isCoHost ? 1 : 2);
  return {
    stage: found.filter(isOnStage).sort((one, other) => rank(one) - rank(other)),
    audience: found.filter((attendee) => !isOnStage(attendee)),
  };
}

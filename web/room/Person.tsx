/** One person: picture, name, role, and what host and co-hosts may do about them. */
import { memo } from 'react';
import type { AttendeeInfo, WorkshopSocket } from '../../src/hooks/useWorkshopSocket.ts';
import { Avatar } from '../shared/Avatar.tsx';
import type { User } from '../shared/api.ts';
import { standingIn } from '../shared/standing.ts';
import { useWords } from '../words/words.ts';
import { PersonActions } from './PersonActions.tsx';
import type { Attempt } from './useNotices.ts';

export interface PersonProps {
  as: 'li' | 'div';
  me: User;
  room: WorkshopSocket;
  attendee: AttendeeInfo;
  attempt: Attempt;
  muted: ReadonlySet<number>;
}

export const Person = memo(function Person({ as: As, me, room, attendee, attempt, muted }: PersonProps) {
  const { people } = useWords();
  const { userId, displayName, isHost, isCoHost } = attendee;
  const mine = standingIn(room.workshopState, me.userId);
  // Nobody moderates the host, only the host moderates co-hosts.
  const may = (mine.isHost || (mine.moderates && !isCoHost)) && !isHost && userId !== me.userId;
  return (
    <As className="person">
      <Avatar {...attendee} />
      <span className="who">
        <bdi className="clip">
          {displayName}
          {userId === me.userId && <span className="soft"> {people.you}</span>}
        </bdi>
        <Role attendee={attendee} />
        {muted.has(userId) && <span className="chip muted">{people.muted}</span>}
      </span>
      {may && <PersonActions room={room} attendee={attendee} standing={mine} attempt={attempt} />}
    </As>
  );
});

/** What sets someone apart; most only listen, and of them nothing is said. */
function Role({ attendee: { isHost, isCoHost, canSpeak } }: { attendee: AttendeeInfo }) {
  const { people } = useWords();
  const role = isHost ? people.host : isCoHost ? people.coHost : canSpeak ? people.speaker : null;
  return role && <span className={isHost || isCoHost ? 'chip leads' : 'chip speaks'}>{role}</span>;
}

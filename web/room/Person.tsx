/** One person: picture, name, role, and what host and co-hosts may do about them. */
import { memo } from 'react';
import type { AttendeeInfo, WorkshopSocket } from '../../src/hooks/useWorkshopSocket.ts';
import { Avatar } from '../shared/Avatar.tsx';
import type { User } from '../shared/api.ts';
import { RoleChip } from '../shared/RoleChip.tsx';
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
        <RoleChip {...attendee} />
        {muted.has(userId) && <span className="chip muted">{people.muted}</span>}
      </span>
      {may && <PersonActions room={room} attendee={attendee} standing={mine} attempt={attempt} />}
    </As>
  );
});

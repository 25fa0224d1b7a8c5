/** Who was there at that moment: on stage, with a hand up, listening. */
import { memo, useMemo } from 'react';
import type { AttendeeInfo } from '../../src/hooks/useWorkshopSocket.ts';
import { Avatar } from '../shared/Avatar.tsx';
import { PeopleList } from '../shared/PeopleList.tsx';
import { RoleChip } from '../shared/RoleChip.tsx';
import { seated } from '../shared/seats.ts';
import { sayNumber, useWords } from '../words/words.ts';
import { useTimelineWords } from './words.ts';

interface RoomThenProps {
  attendees: AttendeeInfo[];
  attendeeCount: number;
  raisedHands: number[];
}

export const RoomThen = memo(function RoomThen({ attendees, attendeeCount, raisedHands }: RoomThenProps) {
  const { people, hands } = useWords();
  const { past } = useTimelineWords();
  const { stage, audience } = useMemo(() => seated(attendees), [attendees]);
  const named = useMemo(
    () => new Map(attendees.map(({ userId, displayName }) => [userId, displayName])),
    [attendees],
  );
  return (
    <section className="card people" aria-labelledby="then">
      <h2 id="then">
        {past.heading} <span className="count">{sayNumber(attendeeCount)}</span>
      </h2>
      <h3 className="soft">{past.hands}</h3>
      {raisedHands.length === 0 && <p className="soft">{past.noHands}</p>}
      <ol className="queue">
        {raisedHands.map((userId) => (
          <li key={userId}>
            <bdi>{named.get(userId) ?? hands.someone(userId)}</bdi>
          </li>
        ))}
      </ol>
      <h3 className="soft">{people.onStage}</h3>
      {attendeeCount === 0 && <p className="soft">{past.nobody}</p>}
      <ul className="stage">
        {stage.map((attendee) => (
          <li key={attendee.userId}>
            <Shown person={attendee} />
          </li>
        ))}
      </ul>
      {audience.length > 0 && <h3 className="soft">{people.audience}</h3>}
      <PeopleList label={people.audience} people={audience} row={(person) => <Shown person={person} />} />
    </section>
  );
});

const Shown = memo(function Shown({ person }: { person: AttendeeInfo }) {
  return (
    <div className="person">
      <Avatar {...person} />
      <span className="who">
        <bdi className="clip">{person.displayName}</bdi>
        <RoleChip {...person} />
      </span>
    </div>
  );
});

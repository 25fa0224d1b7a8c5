/** Everyone in the room, as on a stage with its audience, and finding someone among them. */
import { useDeferredValue, useMemo, useState } from 'react';
import type { WorkshopSocket } from '../../src/hooks/useWorkshopSocket.ts';
import type { User } from '../shared/api.ts';
import { PeopleList } from '../shared/PeopleList.tsx';
import { isOnStage, seated } from '../shared/seats.ts';
import { standingIn } from '../shared/standing.ts';
import { sayNumber, useWords } from '../words/words.ts';
import { MediaSlot } from './MediaSlot.tsx';
import { Person } from './Person.tsx';
import { useMuted } from './useMuted.ts';
import type { Attempt } from './useNotices.ts';

export interface PeopleProps {
  me: User;
  room: WorkshopSocket;
  workshopId: number;
  attempt: Attempt;
}

/** From so many people on there is something to search. */
const searchFrom = 8;

export function People({ me, room, workshopId, attempt }: PeopleProps) {
  const { people } = useWords();
  const { attendees, attendeeCount, loadAttendees, workshopState } = room;
  const [wish, setWish] = useState('');
  const sought = useDeferredValue(wish.trim());
  const muted = useMuted(room);
  const { stage, audience } = useMemo(() => seated(attendees, sought), [attendees, sought]);
  const speakers = useMemo(() => attendees.filter(isOnStage), [attendees]);
  const { isOpen } = standingIn(workshopState, me.userId);
  const unlisted = attendeeCount - attendees.length;
  const about = { me, room, attempt, muted };

  return (
    <section className="card people" aria-labelledby="people">
      <h2 id="people">
        {people.heading} <span className="count">{sayNumber(attendeeCount)}</span>
      </h2>
      {attendeeCount >= searchFrom && (
        <input
          type="search"
          aria-label={people.search}
          placeholder={people.search}
          value={wish}
          onChange={(event) => setWish(event.target.value)}
          // Whom a state does not list can be found all the same.
          onFocus={() => unlisted > 0 && void loadAttendees()}
        />
      )}
      <MediaSlot
        workshopId={workshopId}
        userId={me.userId}
        maySpeak={isOpen && speakers.some(({ userId }) => userId === me.userId)}
        speakers={speakers}
        muted={muted}
      />
      <h3 className="soft">{people.onStage}</h3>
      {stage.length === 0 && sought === '' && <p className="soft">{people.quietStage}</p>}
      <ul className="stage">
        {stage.map((attendee) => (
          <Person key={attendee.userId} as="li" attendee={attendee} {...about} />
        ))}
      </ul>
      <h3 className="soft">{people.audience}</h3>
      {audience.length === 0 && sought === '' && <p className="soft">{people.quietAudience}</p>}
      {sought !== '' && stage.length + audience.length === 0 && (
        <p className="soft" role="status">
          {people.noMatch(sought)}
        </p>
      )}
      <PeopleList
        label={people.audience}
        people={audience}
        row={(attendee) => <Person as="div" attendee={attendee} {...about} />}
      />
      {unlisted > 0 && (
        <button type="button" className="quiet" onClick={() => void loadAttendees()}>
          {people.showMore(unlisted)}
        </button>
      )}
    </section>
  );
}

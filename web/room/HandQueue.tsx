/** Whose hand is up, in order, the same for everyone; host and co-hosts let speak from here. */
import { useEffect } from 'react';
import type { WorkshopSocket } from '../../src/hooks/useWorkshopSocket.ts';
import { Avatar } from '../shared/Avatar.tsx';
import type { User } from '../shared/api.ts';
import { useServerNow } from '../shared/serverClock.ts';
import { standingIn } from '../shared/standing.ts';
import { sayLength, useWords } from '../words/words.ts';
import { useHandTimes } from './useHandTimes.ts';
import type { Attempt } from './useNotices.ts';

interface HandQueueProps {
  me: User;
  room: WorkshopSocket;
  workshopId: number;
  attempt: Attempt;
}

export function HandQueue({ me, room, workshopId, attempt }: HandQueueProps) {
  const { hands, told, place: sayPlace } = useWords();
  const { raisedHands, workshopState, joined } = room;
  const names = useNames(room);
  const times = useHandTimes(room, workshopId);
  const now = useServerNow(raisedHands.length > 0);
  const { moderates, isOpen } = standingIn(workshopState, me.userId);
  const place = raisedHands.indexOf(me.userId) + 1;
  const next = raisedHands.find((userId) => userId !== workshopState?.hostId);

  // Who may speak already has had the floor given: taking the hand down says that it is their turn, and that is not undone.
  const letSpeak = (userId: number, text: string) =>
    room.attendees.find((attendee) => attendee.userId === userId)?.canSpeak === true
      ? attempt(room.lowerHand(userId), { text })
      : attempt(room.approveSpeaker(userId), { text, undo: () => room.revokeSpeaker(userId) });

  return (
    <section className="card hands" aria-labelledby="hands">
      <div className="row spread">
        <h2 id="hands">
          {hands.heading} {raisedHands.length > 0 && <span className="count">{raisedHands.length}</span>}
        </h2>
        <div className="row">
          {moderates && next !== undefined && (
            <button
              type="button"
              className="primary"
              aria-label={hands.nextNamed(names.of(next).displayName)}
              onClick={() => void letSpeak(next, told.mayTalk(names.of(next).displayName))}
            >
              {hands.next}
            </button>
          )}
          <button
            type="button"
            className={place > 0 || moderates ? '' : 'primary'}
            aria-pressed={place > 0}
            disabled={!isOpen || !joined}
            onClick={() => void attempt(place > 0 ? room.lowerHand() : room.raiseHand())}
          >
            {place > 0 ? hands.lower : hands.raise}
          </button>
        </div>
      </div>
      <p role="status" className={place > 0 ? 'mine' : 'hidden'}>
        {place > 0 && hands.yours(sayPlace(place))}
      </p>
      {!isOpen && <p className="soft">{hands.closed}</p>}
      {isOpen && raisedHands.length === 0 && <p className="soft">{hands.nobody}</p>}
      {raisedHands.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        <ol className="list" aria-labelledby="hands" tabIndex={0}>
          {raisedHands.map((userId, index) => {
            const person = names.of(userId);
            const { displayName: name } = person;
            const since = times.get(userId);
            return (
              <li key={userId} className={userId === me.userId ? 'row hand own' : 'row hand'}>
                <span className="number" aria-hidden="true">
                  {index + 1}
                </span>
                <Avatar {...person} />
                <span className="grow">
                  <bdi className="clip">{name}</bdi>
                  {since !== undefined && (
                    <span className="soft waited">{hands.waited(sayLength(now - since))}</span>
                  )}
                </span>
                {moderates && userId !== workshopState?.hostId && (
                  <button
                    type="button"
                    className="small"
                    aria-label={hands.letSpeakNamed(name)}
                    onClick={() => void letSpeak(userId, told.mayTalk(name))}
                  >
                    {hands.letSpeak}
                  </button>
                )}
                {moderates && (
                  <button
                    type="button"
                    className="quiet small"
                    aria-label={hands.lowerNamed(name)}
                    onClick={() => void attempt(room.lowerHand(userId))}
                  >
                    {hands.lowerOne}
                  </button>
                )}
              </li>
            );
          })}
        </ol>
      )}
    </section>
  );
}

/** Who is behind an id. In a big room a hand can be up whose name no one told yet. */
function useNames({ raisedHands, attendees, attendeeCount, loadAttendees }: WorkshopSocket) {
  const { hands } = useWords();
  const people = new Map(attendees.map((attendee) => [attendee.userId, attendee]));
  const nameless = raisedHands.some((userId) => !people.has(userId)) && attendees.length < attendeeCount;
  useEffect(() => {
    if (nameless) void loadAttendees();
  }, [nameless, loadAttendees]);
  return {
    of: (userId: number) =>
      people.get(userId) ?? { userId, displayName: hands.someone(userId), avatarUrl: null },
  };
}

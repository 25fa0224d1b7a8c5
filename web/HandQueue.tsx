/** Whose hand is up, in order, the same for everyone; host and co-hosts let speak from here. */
import { useEffect } from 'react';
import type { Reply, WorkshopSocket } from '../src/hooks/useWorkshopSocket.ts';
import { Avatar } from './Avatar.tsx';
import type { User } from './api.ts';
import { standingIn } from './standing.ts';
import { sayPlace } from './words.ts';

interface HandQueueProps {
  me: User;
  room: WorkshopSocket;
  attempt(asked: Promise<Reply>): Promise<boolean>;
}

export function HandQueue({ me, room, attempt }: HandQueueProps) {
  const { raisedHands, attendees, attendeeCount, workshopState, joined, loadAttendees } = room;
  const people = new Map(attendees.map((attendee) => [attendee.userId, attendee]));
  const nameless = raisedHands.some((userId) => !people.has(userId)) && attendees.length < attendeeCount;
  // In a big room a hand can be up whose name no one told yet.
  useEffect(() => {
    if (nameless) void loadAttendees();
  }, [nameless, loadAttendees]);

  const { moderates, isOpen } = standingIn(workshopState, me.userId);
  const place = raisedHands.indexOf(me.userId) + 1;

  return (
    <section className="card hands" aria-labelledby="hands">
      <div className="row spread">
        <h2 id="hands">
          Raised hands {raisedHands.length > 0 && <span className="count">{raisedHands.length}</span>}
        </h2>
        <button
          type="button"
          className={place > 0 || moderates ? '' : 'primary'}
          aria-pressed={place > 0}
          disabled={!isOpen || !joined}
          onClick={() => void attempt(place > 0 ? room.lowerHand() : room.raiseHand())}
        >
          {place > 0 ? 'Lower hand' : 'Raise hand'}
        </button>
      </div>
      <p role="status" className={place > 0 ? 'mine' : 'hidden'}>
        {place > 0 && `Your hand is up. You are ${sayPlace(place)} in the queue.`}
      </p>
      {!isOpen && <p className="soft">Hands can be raised once the lobby is open.</p>}
      {isOpen && raisedHands.length === 0 && <p className="soft">Nobody is waiting to speak.</p>}
      <ol className="list">
        {raisedHands.map((userId, index) => {
          const { displayName: name, avatarUrl } = people.get(userId) ?? {
            displayName: `Attendee ${userId}`,
            avatarUrl: null,
          };
          return (
            <li key={userId} className="row end">
              <span className="number" aria-hidden="true">
                {index + 1}
              </span>
              <Avatar userId={userId} displayName={name} avatarUrl={avatarUrl} />
              <span className="grow clip">{name}</span>
              {moderates && userId !== workshopState?.hostId && (
                <button
                  type="button"
                  className="small"
                  aria-label={`Let ${name} speak`}
                  onClick={() => void attempt(letSpeak(room, userId))}
                >
                  Let speak
                </button>
              )}
              {moderates && (
                <button
                  type="button"
                  className="quiet small"
                  aria-label={`Lower the hand of ${name}`}
                  onClick={() => void attempt(room.lowerHand(userId))}
                >
                  Lower
                </button>
              )}
            </li>
          );
        })}
      </ol>
    </section>
  );
}

/** Who may speak already has had the floor given: taking the hand down says that it is their turn. */
function letSpeak(room: WorkshopSocket, userId: number): Promise<Reply> {
  const maySpeak = room.attendees.find((attendee) => attendee.userId === userId)?.canSpeak === true;
  return maySpeak ? room.lowerHand(userId) : room.approveSpeaker(userId);
}

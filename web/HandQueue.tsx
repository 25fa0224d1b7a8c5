/** Whose hand is up, in order, the same for everyone; host and co-hosts let speak from here. */
import { useEffect } from 'react';
import type { Reply, WorkshopSocket } from '../src/hooks/useWorkshopSocket.ts';
import type { User } from './api.ts';
import { sayPlace } from './words.ts';

interface HandQueueProps {
  me: User;
  room: WorkshopSocket;
  attempt(asked: Promise<Reply>): Promise<boolean>;
}

export function HandQueue({ me, room, attempt }: HandQueueProps) {
  const { raisedHands, attendees, attendeeCount, workshopState, joined, loadAttendees } = room;
  const names = new Map(attendees.map(({ userId, displayName }) => [userId, displayName]));
  const nameless = raisedHands.some((userId) => !names.has(userId)) && attendees.length < attendeeCount;
  // In a big room a hand can be up whose name no one told yet.
  useEffect(() => {
    if (nameless) void loadAttendees();
  }, [nameless, loadAttendees]);

  const moderates =
    workshopState?.hostId === me.userId || workshopState?.coHostIds.includes(me.userId) === true;
  const open = workshopState?.status === 'lobby' || workshopState?.status === 'live';
  const place = raisedHands.indexOf(me.userId) + 1;

  return (
    <section className="card stack" aria-labelledby="hands">
      <div className="row spread">
        <h2 id="hands">
          Raised hands {raisedHands.length > 0 && <span className="count">{raisedHands.length}</span>}
        </h2>
        <button
          type="button"
          className={place > 0 ? '' : 'primary'}
          aria-pressed={place > 0}
          disabled={!open || !joined}
          onClick={() => void attempt(place > 0 ? room.lowerHand() : room.raiseHand())}
        >
          {place > 0 ? 'Lower hand' : 'Raise hand'}
        </button>
      </div>
      <p role="status" className={place > 0 ? 'mine' : 'hidden'}>
        {place > 0 && `Your hand is up. You are ${sayPlace(place)} in the queue.`}
      </p>
      {!open && <p className="soft">Hands can be raised once the lobby is open.</p>}
      {open && raisedHands.length === 0 && <p className="soft">Nobody is waiting to speak.</p>}
      <ol className="list">
        {raisedHands.map((userId, index) => {
          const name = names.get(userId) ?? `Attendee ${userId}`;
          return (
            <li key={userId} className="row spread">
              <span className="number" aria-hidden="true">
                {index + 1}
              </span>
              <span className="grow clip">{name}</span>
              {moderates && userId !== workshopState?.hostId && (
                <button
                  type="button"
                  aria-label={`Let ${name} speak`}
                  onClick={() => void attempt(letSpeak(room, userId))}
                >
                  Let speak
                </button>
              )}
              {moderates && (
                <button
                  type="button"
                  className="quiet"
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

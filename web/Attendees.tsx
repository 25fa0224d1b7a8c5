/** Who is here and in which role, with what host and co-hosts may do about it behind a menu. */
import { useRef, useState } from 'react';
import type { AttendeeInfo, Reply, WorkshopSocket } from '../src/hooks/useWorkshopSocket.ts';
import { Avatar } from './Avatar.tsx';
import type { User } from './api.ts';
import type { Notice } from './NoticeLine.tsx';
import { standingIn } from './standing.ts';

interface AttendeesProps {
  me: User;
  room: WorkshopSocket;
  attempt(asked: Promise<Reply>): Promise<boolean>;
  onNotice(notice: Notice | null): void;
}

export function Attendees({ me, room, attempt, onNotice }: AttendeesProps) {
  const { attendees, attendeeCount, loadAttendees } = room;
  const unlisted = attendeeCount - attendees.length;
  return (
    <section className="card people" aria-labelledby="people">
      <h2 id="people">
        In the room <span className="count">{attendeeCount}</span>
      </h2>
      <ul className="list tall">
        {attendees.map((attendee) => (
          <li key={attendee.userId} className="row">
            <Avatar {...attendee} />
            <span className="grow clip">
              {attendee.displayName}
              {attendee.userId === me.userId && <span className="soft"> (you)</span>}
            </span>
            <Role attendee={attendee} />
            <Actions me={me} room={room} attendee={attendee} attempt={attempt} onNotice={onNotice} />
          </li>
        ))}
      </ul>
      {unlisted > 0 && (
        <button type="button" className="quiet" onClick={() => void loadAttendees()}>
          Show {unlisted} more
        </button>
      )}
    </section>
  );
}

function Actions({ me, room, attendee, attempt, onNotice }: AttendeesProps & { attendee: AttendeeInfo }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [reason, setReason] = useState('');
  const { userId, displayName, isHost, isCoHost, canSpeak } = attendee;
  const mine = standingIn(room.workshopState, me.userId);
  // Nobody moderates the host, only the host moderates co-hosts.
  const may = (mine.isHost || (mine.moderates && !isCoHost)) && !isHost && userId !== me.userId;
  if (!may) return null;

  const remove = async () => {
    if (!(await attempt(room.removeUser(userId, reason.trim() === '' ? undefined : reason)))) return;
    const readmit = () => void attempt(room.readmitUser(userId));
    onNotice({ text: `${displayName} was removed and can’t come back.`, undo: readmit });
  };
  const choices: [label: string, offered: boolean, choose: () => Promise<unknown>][] = [
    ['Let speak', mine.isOpen && !canSpeak, () => attempt(room.approveSpeaker(userId))],
    ['Stop speaking', mine.isOpen && canSpeak, () => attempt(room.revokeSpeaker(userId))],
    ['Ask to mute', mine.isOpen, () => attempt(room.muteUser(userId))],
    ['Make co-host', mine.isHost && !isCoHost, () => attempt(room.promoteCoHost(userId))],
    ['Take co-host role back', mine.isHost && isCoHost, () => attempt(room.demoteCoHost(userId))],
  ];

  return (
    <>
      <button
        type="button"
        className="quiet more"
        aria-haspopup="dialog"
        aria-label={`Actions for ${displayName}`}
        onClick={() => dialog.current?.showModal()}
      >
        ⋯
      </button>
      <dialog ref={dialog} aria-label={`Actions for ${displayName}`}>
        <form method="dialog" className="stack">
          <h3 className="clip">{displayName}</h3>
          {choices.map(
            ([label, offered, choose]) =>
              offered && (
                <button key={label} type="submit" onClick={() => void choose()}>
                  {label}
                </button>
              ),
          )}
          <label className="stack">
            Reason for removing, shown to them (optional)
            <input
              maxLength={500}
              value={reason}
              onChange={(event) => setReason(event.target.value)}
              // Enter would press the form's first button, which is not what was being written about.
              onKeyDown={(event) => event.key === 'Enter' && event.preventDefault()}
            />
          </label>
          <button type="submit" className="danger" onClick={() => void remove()}>
            Remove from the workshop
          </button>
          <button type="submit" className="quiet">
            Close
          </button>
        </form>
      </dialog>
    </>
  );
}

/** What sets someone apart; most only listen, and of them nothing is said. */
function Role({ attendee: { isHost, isCoHost, canSpeak } }: { attendee: AttendeeInfo }) {
  const role = isHost ? 'Host' : isCoHost ? 'Co-host' : canSpeak ? 'Speaker' : null;
  return role && <span className={isHost || isCoHost ? 'chip leads' : 'chip speaks'}>{role}</span>;
}

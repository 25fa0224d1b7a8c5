/** Who is here and in which role, with what host and co-hosts may do about it behind a menu. */
import { useRef, useState } from 'react';
import type { AttendeeInfo, Reply, WorkshopSocket } from '../src/hooks/useWorkshopSocket.ts';
import type { User } from './api.ts';
import type { Notice } from './Room.tsx';

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
    <section className="card" aria-labelledby="people">
      <h2 id="people">
        In the room <span className="count">{attendeeCount}</span>
      </h2>
      <ul className="list tall">
        {attendees.map((attendee) => (
          <li key={attendee.userId} className="row">
            <span className={`avatar hue${attendee.userId % 6}`} aria-hidden="true">
              {initials(attendee.displayName)}
            </span>
            <span className="grow clip">
              {attendee.displayName}
              {attendee.userId === me.userId && <span className="soft"> (you)</span>}
            </span>
            <span className="chip role">{roleOf(attendee)}</span>
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
  const iHost = room.workshopState?.hostId === me.userId;
  const iCoHost = room.workshopState?.coHostIds.includes(me.userId) === true;
  // Nobody moderates the host, only the host moderates co-hosts.
  const may = (iHost || (iCoHost && !isCoHost)) && !isHost && userId !== me.userId;
  if (!may) return null;
  const open = room.workshopState?.status === 'lobby' || room.workshopState?.status === 'live';

  const remove = async () => {
    if (!(await attempt(room.removeUser(userId, reason.trim() === '' ? undefined : reason)))) return;
    const readmit = () => void attempt(room.readmitUser(userId));
    onNotice({ text: `${displayName} was removed and can’t come back.`, undo: readmit });
  };
  const choices: [label: string, offered: boolean, choose: () => Promise<unknown>][] = [
    ['Let speak', open && !canSpeak, () => attempt(room.approveSpeaker(userId))],
    ['Stop speaking', open && canSpeak, () => attempt(room.revokeSpeaker(userId))],
    ['Ask to mute', open, () => attempt(room.muteUser(userId))],
    ['Make co-host', iHost && !isCoHost, () => attempt(room.promoteCoHost(userId))],
    ['Take co-host role back', iHost && isCoHost, () => attempt(room.demoteCoHost(userId))],
  ];

  return (
    <>
      <button
        type="button"
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

function roleOf({ isHost, isCoHost, canSpeak }: AttendeeInfo): string {
  if (isHost) return 'Host';
  if (isCoHost) return 'Co-host';
  return canSpeak ? 'Speaker' : 'Listener';
}

function initials(name: string): string {
  const words = name.trim().split(/\s+/);
  const first = [...(words[0] ?? '')][0] ?? '?';
  const last = words.length > 1 ? ([...(words.at(-1) ?? '')][0] ?? '') : '';
  return (first + last).toLocaleUpperCase();
}

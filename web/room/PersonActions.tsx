/** What host and co-hosts may do about someone, behind a button: each says what it did, and takes it back where that can be. */
import { useRef, useState } from 'react';
import type { AttendeeInfo, Reply, WorkshopSocket } from '../../src/hooks/useWorkshopSocket.ts';
import type { Standing } from '../shared/standing.ts';
import { useWords } from '../words/words.ts';
import type { Attempt } from './useNotices.ts';

interface ActionsProps {
  room: WorkshopSocket;
  attendee: AttendeeInfo;
  standing: Standing;
  attempt: Attempt;
}

interface Choice {
  label: string;
  offered: boolean;
  ask(): Promise<Reply>;
  text: string;
  undo?: () => Promise<Reply>;
}

export function PersonActions({ room, attendee, standing, attempt }: ActionsProps) {
  const { people, told, close } = useWords();
  const dialog = useRef<HTMLDialogElement>(null);
  const [reason, setReason] = useState('');
  const { userId, displayName: name, isCoHost, canSpeak } = attendee;
  const { isHost, isOpen } = standing;

  const approve = () => room.approveSpeaker(userId);
  const revoke = () => room.revokeSpeaker(userId);
  const promote = () => room.promoteCoHost(userId);
  const demote = () => room.demoteCoHost(userId);
  const choices: Choice[] = [
    {
      label: people.letSpeak,
      offered: isOpen && !canSpeak,
      ask: approve,
      text: told.mayTalk(name),
      undo: revoke,
    },
    {
      label: people.stopSpeaking,
      offered: isOpen && canSpeak,
      ask: revoke,
      text: told.noTalk(name),
      undo: approve,
    },
    { label: people.mute, offered: isOpen, ask: () => room.muteUser(userId), text: told.muted(name) },
    {
      label: people.promote,
      offered: isHost && !isCoHost,
      ask: promote,
      text: told.promoted(name),
      undo: demote,
    },
    {
      label: people.demote,
      offered: isHost && isCoHost,
      ask: demote,
      text: told.demoted(name),
      undo: promote,
    },
  ];
  const remove = () =>
    attempt(room.removeUser(userId, reason.trim() === '' ? undefined : reason), {
      text: told.removed(name),
      undo: () => room.readmitUser(userId),
    });

  return (
    <>
      <button
        type="button"
        className="quiet more"
        aria-haspopup="dialog"
        aria-label={people.actions(name)}
        onClick={() => dialog.current?.showModal()}
      >
        ⋯
      </button>
      <dialog ref={dialog} aria-label={people.actions(name)}>
        <form method="dialog" className="stack">
          <h3 className="clip">{name}</h3>
          {choices.map(
            ({ label, offered, ask, ...done }) =>
              offered && (
                <button key={label} type="submit" onClick={() => void attempt(ask(), done)}>
                  {label}
                </button>
              ),
          )}
          <label className="stack">
            {people.why}
            <input
              maxLength={500}
              value={reason}
              onChange={(event) => setReason(event.target.value)}
              // Enter would press the form's first button, which is not what was being written about.
              onKeyDown={(event) => event.key === 'Enter' && event.preventDefault()}
            />
          </label>
          <button type="submit" className="danger" onClick={() => void remove()}>
            {people.remove}
          </button>
          <button type="submit" className="quiet">
            {close}
          </button>
        </form>
      </dialog>
    </>
  );
}

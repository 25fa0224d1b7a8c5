/** The way for others to come: the link, and for a workshop by invitation whom it lets in. */
import { type FormEvent, useRef, useState } from 'react';
import { api, type Workshop } from '../shared/api.ts';
import type { Notice } from '../shared/NoticeLine.tsx';
import { sayRefusal, useWords } from '../words/words.ts';

interface InviteProps {
  workshop: Workshop;
  onNotice(notice: Notice): void;
}

export function InviteButton({ workshop, onNotice }: InviteProps) {
  const { invite, close } = useWords();
  const dialog = useRef<HTMLDialogElement>(null);
  const [ids, setIds] = useState('');
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const userIds = ids
      .split(/[\s,;]+/)
      .filter((id) => id !== '')
      .map(Number);
    const isValid = userIds.length > 0 && userIds.every((id) => Number.isSafeInteger(id) && id > 0);
    dialog.current?.close();
    if (!isValid) return onNotice({ text: invite.invalid, problem: true });
    const answer = await api.invite(workshop.id, userIds);
    if (!answer.ok) return onNotice({ text: sayRefusal(answer.error), problem: true });
    setIds('');
    onNotice({ text: invite.done(userIds.length) });
  };
  return (
    <>
      <button type="button" aria-haspopup="dialog" onClick={() => dialog.current?.showModal()}>
        {invite.open}
      </button>
      <dialog ref={dialog} aria-label={invite.heading}>
        <form className="stack" onSubmit={(event) => void submit(event)}>
          <h3>{invite.heading}</h3>
          <label className="stack">
            {invite.ids}
            <input inputMode="numeric" value={ids} onChange={(event) => setIds(event.target.value)} />
          </label>
          <div className="row end">
            <button type="button" className="quiet" onClick={() => dialog.current?.close()}>
              {close}
            </button>
            <button type="submit" className="primary" disabled={ids.trim() === ''}>
              {invite.send}
            </button>
          </div>
        </form>
      </dialog>
    </>
  );
}

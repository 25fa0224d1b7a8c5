/** Changing what was planned, for as long as it has not begun. */
import { type FormEvent, useRef } from 'react';
import { api, type Workshop } from '../shared/api.ts';
import type { Notice } from '../shared/NoticeLine.tsx';
import { DetailFields, detailsIn, WhenField, whenIn } from '../shared/PlanFields.tsx';
import { sayRefusal, useWords } from '../words/words.ts';

interface EditProps {
  workshop: Workshop;
  onNotice(notice: Notice): void;
}

export function EditButton({ workshop, onNotice }: EditProps) {
  const { schedule, close } = useWords();
  const dialog = useRef<HTMLDialogElement>(null);
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const when = whenIn(form);
    // The field knows no seconds: a time that nobody touched stays as it was.
    const isMoved = when !== null && minuteOf(when) !== minuteOf(workshop.scheduledAt);
    dialog.current?.close();
    const answer = await api.update(workshop.id, {
      ...detailsIn(form),
      ...(isMoved && { scheduledAt: when }),
    });
    onNotice(answer.ok ? { text: schedule.saved } : { text: sayRefusal(answer.error), problem: true });
  };
  return (
    <>
      <button type="button" aria-haspopup="dialog" onClick={() => dialog.current?.showModal()}>
        {schedule.edit}
      </button>
      <dialog ref={dialog} aria-label={schedule.editHeading}>
        {/* With what is planned now: another form where somebody has changed it. */}
        <form key={workshop.version} className="stack" onSubmit={(event) => void submit(event)}>
          <h3>{schedule.editHeading}</h3>
          <label className="stack">
            {schedule.title}
            <input name="title" required maxLength={200} defaultValue={workshop.title} />
          </label>
          <WhenField initial={new Date(workshop.scheduledAt)} />
          <DetailFields initial={workshop} />
          <div className="row end">
            <button type="button" className="quiet" onClick={() => dialog.current?.close()}>
              {close}
            </button>
            <button type="submit" className="primary">
              {schedule.save}
            </button>
          </div>
        </form>
      </dialog>
    </>
  );
}

function minuteOf(moment: string): number {
  return Math.floor(Date.parse(moment) / 60_000);
}

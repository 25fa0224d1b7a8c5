/** The form of a new workshop: a title will do, and everything else is there for who wants it. */
import { type FormEvent, useState } from 'react';
import type { Refusal } from '../shared/api.ts';
import { DetailFields, detailsIn, WhenField, whenIn } from '../shared/PlanFields.tsx';
import { useWords } from '../words/words.ts';
import { useScheduling } from './useScheduling.ts';

interface ScheduleProps {
  onScheduled(workshopId: number): void;
  onRefused(error: Refusal): void;
}

export function ScheduleForm(props: ScheduleProps) {
  const { schedule } = useWords();
  const [title, setTitle] = useState('');
  const [now, setNow] = useState(true);
  const { busy, submit } = useScheduling(props);

  const send = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const visibility = form.get('visibility') === 'private' ? 'private' : 'public';
    void submit({ ...detailsIn(form), visibility }, whenIn(form));
  };
  return (
    <form className="card stack" onSubmit={send} aria-labelledby="schedule">
      <h2 id="schedule">{schedule.heading}</h2>
      <label className="stack">
        {schedule.title}
        <input
          name="title"
          required
          maxLength={200}
          value={title}
          onChange={(event) => setTitle(event.target.value)}
        />
      </label>
      <label className="row">
        <input type="checkbox" checked={now} onChange={(event) => setNow(event.target.checked)} />
        {schedule.now}
      </label>
      {!now && <WhenField />}
      <details>
        <summary>{schedule.more}</summary>
        <div className="stack">
          <DetailFields />
          <label className="stack">
            {schedule.visibility}
            <select name="visibility" defaultValue="public">
              <option value="public">{schedule.public}</option>
              <option value="private">{schedule.private}</option>
            </select>
          </label>
        </div>
      </details>
      <button type="submit" className="primary" disabled={busy || title.trim() === ''}>
        {now ? schedule.startNow : schedule.schedule}
      </button>
    </form>
  );
}

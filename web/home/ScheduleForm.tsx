/** The form of a new workshop: a title will do, and everything else is there for who wants it. */
import { type FormEvent, useState } from 'react';
import type { Plan, Refusal } from '../shared/api.ts';
import { sayZone, useWords } from '../words/words.ts';
import { useScheduling } from './useScheduling.ts';

interface ScheduleProps {
  onScheduled(workshopId: number): void;
  onRefused(error: Refusal): void;
}

export function ScheduleForm(props: ScheduleProps) {
  const { schedule } = useWords();
  const [title, setTitle] = useState('');
  const [when, setWhen] = useState('');
  const [now, setNow] = useState(true);
  const { busy, submit } = useScheduling(props);

  const send = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    void submit(planIn(new FormData(event.currentTarget)), now ? null : when);
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
      {!now && (
        <div className="stack tight">
          <label className="stack">
            {schedule.when}
            <input
              type="datetime-local"
              required
              aria-describedby="zone"
              value={when}
              onChange={(event) => setWhen(event.target.value)}
            />
          </label>
          <p id="zone" className="soft">
            {schedule.zone(sayZone())}
          </p>
        </div>
      )}
      <details>
        <summary>{schedule.more}</summary>
        <MoreFields />
      </details>
      <button
        type="submit"
        className="primary"
        disabled={busy || title.trim() === '' || (!now && when === '')}
      >
        {now ? schedule.startNow : schedule.schedule}
      </button>
    </form>
  );
}

function MoreFields() {
  const { schedule } = useWords();
  return (
    <div className="stack">
      <label className="stack">
        {schedule.description}
        <textarea name="description" maxLength={5_000} rows={3} />
      </label>
      <div className="pair">
        <label className="stack">
          {schedule.duration}
          <input name="durationMinutes" type="number" inputMode="numeric" min={1} max={1_440} />
        </label>
        <label className="stack">
          {schedule.capacity}
          <input name="capacity" type="number" inputMode="numeric" min={1} max={100_000} />
        </label>
      </div>
      <label className="stack">
        {schedule.visibility}
        <select name="visibility" defaultValue="public">
          <option value="public">{schedule.public}</option>
          <option value="private">{schedule.private}</option>
        </select>
      </label>
    </div>
  );
}

function planIn(form: FormData): Omit<Plan, 'scheduledAt'> {
  const text = (name: string) => String(form.get(name) ?? '').trim();
  const [durationMinutes, capacity] = [Number(text('durationMinutes')), Number(text('capacity'))];
  return {
    title: text('title'),
    ...(text('description') !== '' && { description: text('description') }),
    ...(durationMinutes > 0 && { durationMinutes }),
    ...(capacity > 0 && { capacity }),
    ...(text('visibility') === 'private' && { visibility: 'private' as const }),
  };
}

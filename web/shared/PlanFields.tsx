/** The fields of a workshop that is planned, for the form of a new one and for changing it. */
import { sayZone, useWords } from '../words/words.ts';
import type { Plan, Workshop } from './api.ts';

/** A moment in the reader's time. */
export function WhenField({ initial }: { initial?: Date }) {
  const { schedule } = useWords();
  return (
    <div className="stack tight">
      <label className="stack">
        {schedule.when}
        <input
          name="when"
          type="datetime-local"
          required
          aria-describedby="zone"
          defaultValue={initial && localValue(initial)}
        />
      </label>
      <p id="zone" className="soft">
        {schedule.zone(sayZone())}
      </p>
    </div>
  );
}

export function DetailFields({ initial }: { initial?: Workshop }) {
  const { schedule } = useWords();
  return (
    <>
      <label className="stack">
        {schedule.description}
        <textarea
          name="description"
          maxLength={5_000}
          rows={3}
          defaultValue={initial?.description ?? undefined}
        />
      </label>
      <div className="pair">
        <label className="stack">
          {schedule.duration}
          <input
            name="durationMinutes"
            type="number"
            inputMode="numeric"
            min={1}
            max={1_440}
            defaultValue={initial?.durationMinutes ?? undefined}
          />
        </label>
        <label className="stack">
          {schedule.capacity}
          <input
            name="capacity"
            type="number"
            inputMode="numeric"
            min={1}
            max={100_000}
            defaultValue={initial?.capacity ?? undefined}
          />
        </label>
      </div>
    </>
  );
}

/** What a form with these fields says; null where nothing was given. */
export function detailsIn(form: FormData): Pick<Required<Plan>, 'title'> & Details {
  return {
    title: textIn(form, 'title'),
    description: textIn(form, 'description') || null,
    durationMinutes: Number(textIn(form, 'durationMinutes')) || null,
    capacity: Number(textIn(form, 'capacity')) || null,
  };
}

type Details = Pick<Workshop, 'description' | 'durationMinutes' | 'capacity'>;

/** The moment that `WhenField` asks for, in ISO 8601; null where it is not asked. */
export function whenIn(form: FormData): string | null {
  const when = textIn(form, 'when');
  return when === '' ? null : new Date(when).toISOString();
}

function textIn(form: FormData, name: string): string {
  return String(form.get(name) ?? '').trim();
}

/** As a `datetime-local` field has it: without a zone, which is the reader's. */
function localValue(moment: Date): string {
  return new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

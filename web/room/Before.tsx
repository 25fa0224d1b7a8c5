/** What is said before it begins: when that is, in the reader's own time, and how long it is until then. */
import type { Workshop } from '../shared/api.ts';
import { useServerNow } from '../shared/serverClock.ts';
import { sayLength, sayMoment, useWords } from '../words/words.ts';
import { saveCalendar } from './calendar.ts';

interface BeforeProps {
  workshop: Workshop;
  status: 'scheduled' | 'lobby';
  scheduledAt: Date;
  mayStart: boolean;
}

const dayMs = 86_400_000;

export function Before({ workshop, status, scheduledAt, mayStart }: BeforeProps) {
  const { before } = useWords();
  const left = scheduledAt.getTime() - useServerNow();
  return (
    <section className="card before" aria-label={before.startsIn}>
      <div className="grow">
        {left > 0 ? (
          <p>
            <span className="soft">{before.startsIn}</span>
            <span className="countdown" role="timer">
              {left > dayMs && `${before.days(Math.floor(left / dayMs))} `}
              {sayLength(left % dayMs)}
            </span>
          </p>
        ) : (
          <p className="countdown">{before.due}</p>
        )}
        <p>
          <time dateTime={scheduledAt.toISOString()}>{sayMoment(scheduledAt)}</time>
        </p>
        {mayStart && status === 'scheduled' && <p className="soft">{before.whenHost}</p>}
        {status === 'lobby' && <p className="soft">{before.lobby}</p>}
        {workshop.description && <p className="description">{workshop.description}</p>}
      </div>
      <button
        type="button"
        onClick={() => saveCalendar({ ...workshop, scheduledAt: scheduledAt.toISOString() })}
      >
        {before.calendar}
      </button>
    </section>
  );
}

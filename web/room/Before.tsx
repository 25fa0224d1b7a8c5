/** What is said before it begins: when that is, in the reader's own time, and how long it is until then. */
import { api, type Workshop } from '../shared/api.ts';
import { ConfirmButton } from '../shared/ConfirmButton.tsx';
import type { Notice } from '../shared/NoticeLine.tsx';
import { useServerNow } from '../shared/serverClock.ts';
import { sayLength, sayMoment, sayRefusal, useWords } from '../words/words.ts';
import { saveCalendar } from './calendar.ts';
import { EditButton } from './EditButton.tsx';

interface BeforeProps {
  workshop: Workshop;
  status: 'scheduled' | 'lobby';
  scheduledAt: Date;
  isHost: boolean;
  mayStart: boolean;
  onNotice(notice: Notice): void;
}

const dayMs = 86_400_000;

export function Before({ workshop, status, scheduledAt, isHost, mayStart, onNotice }: BeforeProps) {
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
      <div className="row">
        {isHost && <Planning workshop={workshop} onNotice={onNotice} />}
        <button
          type="button"
          onClick={() => saveCalendar({ ...workshop, scheduledAt: scheduledAt.toISOString() })}
        >
          {before.calendar}
        </button>
      </div>
    </section>
  );
}

/** What the host may still do about it. */
function Planning({ workshop, onNotice }: Pick<BeforeProps, 'workshop' | 'onNotice'>) {
  const { room } = useWords();
  const cancel = async () => {
    const answer = await api.step(workshop.id, 'cancel');
    if (!answer.ok) onNotice({ text: sayRefusal(answer.error), problem: true });
  };
  return (
    <>
      <EditButton workshop={workshop} onNotice={onNotice} />
      <ConfirmButton
        label={room.cancel}
        question={room.cancelQuestion}
        confirm={room.cancelConfirm}
        refuse={room.cancelNot}
        onConfirm={() => void cancel()}
      />
    </>
  );
}

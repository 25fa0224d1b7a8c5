/** What is coming up, and scheduling something of one's own. */
import { type FormEvent, useCallback, useEffect, useRef, useState } from 'react';
import { api, type Refusal, type User, type Workshop } from './api.ts';
import { sayRefusal, sayStatus, sayTime } from './words.ts';

interface WorkshopsProps {
  me: User;
  onChoose(workshopId: number): void;
  onSignedOut(): void;
  onRename(): void;
}

export function Workshops({ me, onChoose, onSignedOut, onRename }: WorkshopsProps) {
  const [problem, setProblem] = useState('');
  const refused = useCallback(
    (error: Refusal) => (error.code === 'unauthenticated' ? onSignedOut() : setProblem(sayRefusal(error))),
    [onSignedOut],
  );
  return (
    <main className="narrow">
      <header className="row spread">
        <h1>Workshop rooms</h1>
        <p>
          <span className="soft">You are</span> {me.displayName}{' '}
          <button type="button" className="quiet" onClick={onRename}>
            Change name
          </button>
        </p>
      </header>
      <p role="alert" className="problem">
        {problem}
      </p>
      <ScheduleForm onScheduled={onChoose} onRefused={refused} />
      <Upcoming me={me} onChoose={onChoose} onRefused={refused} />
    </main>
  );
}

/** How often the list is looked at anew while it is being looked at, in milliseconds. */
const refreshMs = 5_000;
/** And while the server can't tell it, as in the moments after its start. */
const retryMs = 1_000;

interface ListProps {
  me: User;
  onChoose(workshopId: number): void;
  onRefused(error: Refusal): void;
}

function Upcoming({ me, onChoose, onRefused }: ListProps) {
  const [workshops, setWorkshops] = useState<Workshop[] | null>(null);
  const [next, setNext] = useState<string | null>(null);
  const [pages, setPages] = useState(1);
  const [isAway, setIsAway] = useState(false);

  const load = useCallback(
    async (cursor?: string) => {
      const answer = await api.workshops(cursor);
      const away = !answer.ok && answer.error.code === 'unavailable';
      setIsAway(away);
      if (away) return;
      if (!answer.ok) return onRefused(answer.error);
      const { items, nextCursor } = answer.value;
      const upcoming = items.filter(({ status }) => status !== 'ended' && status !== 'cancelled');
      setWorkshops((before) => inOrder(cursor === undefined ? upcoming : [...(before ?? []), ...upcoming]));
      setPages((before) => (cursor === undefined ? 1 : before + 1));
      setNext(nextCursor);
    },
    [onRefused],
  );
  useEffect(() => void load(), [load]);
  useEffect(() => {
    // Whoever went on to further pages keeps them.
    if (pages > 1) return;
    const refresh = () => {
      if (document.visibilityState === 'visible') void load();
    };
    const timer = setInterval(refresh, isAway ? retryMs : refreshMs);
    document.addEventListener('visibilitychange', refresh);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', refresh);
    };
  }, [load, pages, isAway]);

  return (
    <section className="card" aria-labelledby="upcoming">
      <div className="row spread">
        <h2 id="upcoming">Coming up</h2>
        <button type="button" className="quiet" onClick={() => void load()}>
          Refresh
        </button>
      </div>
      {workshops === null && !isAway && <p className="soft">Loading…</p>}
      {isAway && <p className="soft">The list can’t be reached right now. It is tried again.</p>}
      {workshops?.length === 0 && next === null && (
        <p className="soft">Nothing yet. Schedule the first one.</p>
      )}
      <ul className="list">
        {workshops?.map(({ id, title, status, scheduledAt, hostId }) => (
          <li key={id} className="row spread">
            <div className="grow">
              <strong className="title">{title}</strong>
              <p className="row">
                <span className={`chip ${status}`}>{sayStatus(status)}</span>
                <span className="soft">
                  {sayTime(scheduledAt)}
                  {hostId === me.userId && ' · you host it'}
                </span>
              </p>
            </div>
            <button type="button" onClick={() => onChoose(id)} aria-label={`Enter ${title}`}>
              Enter
            </button>
          </li>
        ))}
      </ul>
      {next !== null && (
        <button type="button" className="quiet" onClick={() => void load(next)}>
          Show more
        </button>
      )}
    </section>
  );
}

/** What is on, then what is soon. */
function inOrder(workshops: Workshop[]): Workshop[] {
  const stage = ({ status }: Workshop) => ['live', 'lobby'].indexOf(status) + 1 || 3;
  return workshops.sort(
    (one, other) => stage(one) - stage(other) || Date.parse(one.scheduledAt) - Date.parse(other.scheduledAt),
  );
}

interface ScheduleProps {
  onScheduled(workshopId: number): void;
  onRefused(error: Refusal): void;
}

function ScheduleForm({ onScheduled, onRefused }: ScheduleProps) {
  const [title, setTitle] = useState('');
  const [when, setWhen] = useState('');
  const [now, setNow] = useState(true);
  const [busy, setBusy] = useState(false);
  // The same form sent twice, after a lost answer, is one workshop; a changed form is another.
  const sent = useRef({ form: '', key: '', scheduledAt: '' });

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    const form = JSON.stringify([title, now, when]);
    if (sent.current.form !== form) {
      const key = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16)).join('-');
      sent.current = { form, key, scheduledAt: (now ? new Date() : new Date(when)).toISOString() };
    }
    const { key, scheduledAt } = sent.current;
    const scheduled = await api.schedule({ title, scheduledAt }, key);
    const started = scheduled.ok && now ? await api.step(scheduled.value.id, 'start') : scheduled;
    setBusy(false);
    if (!scheduled.ok) return onRefused(scheduled.error);
    if (!started.ok) onRefused(started.error);
    onScheduled(scheduled.value.id);
  };

  return (
    <form className="card stack" onSubmit={(event) => void submit(event)} aria-labelledby="schedule">
      <h2 id="schedule">Host a workshop</h2>
      <label className="stack">
        Title
        <input required maxLength={200} value={title} onChange={(event) => setTitle(event.target.value)} />
      </label>
      <label className="row">
        <input type="checkbox" checked={now} onChange={(event) => setNow(event.target.checked)} />
        Start right away
      </label>
      {!now && (
        <label className="stack">
          Starts at
          <input
            type="datetime-local"
            required
            value={when}
            onChange={(event) => setWhen(event.target.value)}
          />
        </label>
      )}
      <button
        type="submit"
        className="primary"
        disabled={busy || title.trim() === '' || (!now && when === '')}
      >
        {now ? 'Start now' : 'Schedule'}
      </button>
    </form>
  );
}

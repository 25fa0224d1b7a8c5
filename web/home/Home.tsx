/** Where one begins: the workshops that one may see, and scheduling one of one's own. */
import { useCallback, useState } from 'react';
import { api, type Refusal, type Session, type User, type Workshop } from '../shared/api.ts';
import { useTitle } from '../shared/useTitle.ts';
import { sayRefusal, useWords } from '../words/words.ts';
import { ScheduleForm } from './ScheduleForm.tsx';
import { useWorkshops, type WorkshopLists } from './useWorkshops.ts';
import { WorkshopCard } from './WorkshopCard.tsx';

interface HomeProps {
  me: User;
  session: Session | null;
  onChoose(workshopId: number): void;
  onOperate(): void;
  onSignedOut(): void;
  onRename(): void;
}

export function Home({ me, session, onChoose, onOperate, onSignedOut, onRename }: HomeProps) {
  const { app, home, admin } = useWords();
  const [problem, setProblem] = useState('');
  useTitle('');
  const refused = useCallback(
    (error: Refusal) => (error.code === 'unauthenticated' ? onSignedOut() : setProblem(sayRefusal(error))),
    [onSignedOut],
  );
  const found = useWorkshops(refused);
  return (
    <main className="home">
      <header className="row spread">
        <h1>{app}</h1>
        <p className="row">
          <span>
            <span className="soft">{home.youAre}</span> <strong className="name">{me.displayName}</strong>
          </span>
          {session?.guests !== false && (
            <button type="button" className="quiet" onClick={onRename}>
              {home.changeName}
            </button>
          )}
          {session?.user?.roles.includes('admin') && (
            <button type="button" className="quiet" onClick={onOperate}>
              {admin.heading}
            </button>
          )}
        </p>
      </header>
      <p role="alert" className="problem">
        {problem}
      </p>
      <div className="home-columns">
        <Lists me={me} found={found} onChoose={onChoose} onRefused={refused} />
        <div>
          <ScheduleForm onScheduled={onChoose} onRefused={refused} />
          {session?.lively === true && <LivelyCard onChoose={onChoose} onRefused={refused} />}
        </div>
      </div>
    </main>
  );
}

interface ListsProps {
  me: User;
  found: WorkshopLists;
  onChoose(workshopId: number): void;
  onRefused(error: Refusal): void;
}

function Lists({ found, ...props }: ListsProps) {
  const { home, loading } = useWords();
  const { lists, isAway, hasMore } = found;
  const nothing = lists !== null && lists.live.length + lists.upcoming.length === 0 && !hasMore;
  return (
    <div>
      {lists !== null && lists.live.length > 0 && (
        <Section id="live" heading={home.live} workshops={lists.live} {...props} />
      )}
      <section className="card" aria-labelledby="upcoming">
        <div className="row spread">
          <h2 id="upcoming">{home.upcoming}</h2>
          <button type="button" className="quiet" onClick={found.refresh}>
            {home.refresh}
          </button>
        </div>
        {lists === null && !isAway && <p className="soft">{loading}</p>}
        {isAway && <p className="soft">{home.away}</p>}
        {nothing && <p className="soft">{home.none}</p>}
        {lists !== null && !nothing && lists.upcoming.length === 0 && <p className="soft">{home.noneYet}</p>}
        <Items workshops={lists?.upcoming ?? []} {...props} />
      </section>
      {lists !== null && lists.past.length > 0 && (
        <Section id="past" heading={home.past} workshops={lists.past} {...props} />
      )}
      {hasMore && (
        <button type="button" className="quiet" onClick={found.more}>
          {home.more}
        </button>
      )}
    </div>
  );
}

interface ItemsProps extends Omit<ListsProps, 'found'> {
  workshops: Workshop[];
}

function Section({ id, heading, ...items }: ItemsProps & { id: string; heading: string }) {
  return (
    <section className="card" aria-labelledby={id}>
      <h2 id={id}>{heading}</h2>
      <Items {...items} />
    </section>
  );
}

function Items({ workshops, ...props }: ItemsProps) {
  if (workshops.length === 0) return null;
  return (
    <ul className="list workshops">
      {workshops.map((workshop) => (
        <WorkshopCard key={workshop.id} workshop={workshop} {...props} />
      ))}
    </ul>
  );
}

/** For whoever tries the product out alone. */
function LivelyCard({ onChoose, onRefused }: Pick<ListsProps, 'onChoose' | 'onRefused'>) {
  const { home } = useWords();
  const [busy, setBusy] = useState(false);
  const start = async () => {
    setBusy(true);
    const answer = await api.lively();
    setBusy(false);
    if (answer.ok) onChoose(answer.value.workshopId);
    else onRefused(answer.error);
  };
  return (
    <div className="card stack lively">
      <p className="soft">{home.livelyWhy}</p>
      <button type="button" disabled={busy} onClick={() => void start()}>
        {home.lively}
      </button>
    </div>
  );
}

/** Finding a moment: by what stands out, or by person, kind and text. What is looked for stands in the address. */
import { type FormEvent, memo, useEffect, useState } from 'react';
import { sayLength } from '../words/words.ts';
import { notePlace, readPlace } from './address.ts';
import type { Mark, Participant } from './records.ts';
import { type Found, mostFound, type Search, useFound } from './useFound.ts';
import { useTimelineWords } from './words.ts';

interface FindProps {
  workshopId: number;
  people: Participant[];
  marks: Mark[];
  startedAt: Date | null;
  onGoTo(version: number): void;
}

/** Names that are suggested while one types. */
const suggested = 30;
const marksShown = 200;

export const Find = memo(function Find({ workshopId, people, marks, startedAt, onGoTo }: FindProps) {
  const words = useTimelineWords();
  const { find: say, kinds } = words;
  const [wish, setWish] = useState(() => ({ person: '', kind: '', text: '', ...readPlace() }));
  const { search, find, clear } = useFound(workshopId);
  const [problem, setProblem] = useState('');
  const { person, kind, text } = wish;

  const go = () => {
    const named = person.trim();
    const userId = named === '' ? undefined : idOf(people, named);
    const isUnknown = named !== '' && userId === undefined;
    setProblem(isUnknown ? say.unknown(named) : '');
    notePlace({ person: named, kind, text });
    if (isUnknown || (named === '' && kind === '' && text === '')) clear();
    else void find({ userId, kind, text });
  };
  // A link that says what is looked for finds it.
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, with what the address says
  useEffect(go, []);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    go();
  };
  const names = people
    .filter(({ displayName }) => displayName?.toLocaleLowerCase().includes(person.toLocaleLowerCase()))
    .slice(0, suggested);

  return (
    <section className="card stack" aria-labelledby="find">
      <h2 id="find">{say.heading}</h2>
      <form className="row filters" onSubmit={submit}>
        <label>
          <span>{say.person}</span>
          <input
            list="names"
            value={person}
            onChange={({ target }) => setWish({ ...wish, person: target.value })}
          />
          <datalist id="names">
            {names.map(({ userId, displayName }) => (
              <option key={userId} value={displayName ?? ''} />
            ))}
          </datalist>
        </label>
        <label>
          <span>{say.kind}</span>
          <select value={kind} onChange={({ target }) => setWish({ ...wish, kind: target.value })}>
            <option value="">{say.any}</option>
            {Object.entries(kinds)
              .filter(([type]) => !type.startsWith('peak-'))
              .map(([type, name]) => (
                <option key={type} value={type}>
                  {name}
                </option>
              ))}
          </select>
        </label>
        <label>
          <span>{say.text}</span>
          <input
            type="search"
            value={text}
            onChange={({ target }) => setWish({ ...wish, text: target.value })}
          />
        </label>
        <button type="submit">{say.go}</button>
      </form>
      <p role="status" className={problem === '' ? 'soft' : 'problem'}>
        {problem === '' ? sayState(search, words) : problem}
      </p>
      {search.state === 'none' ? (
        <ul className="list moments" aria-label={words.marks}>
          {marks.slice(0, marksShown).map(({ version, type, offsetMs, label }) => (
            <Moment key={`${version} ${type}`} offsetMs={offsetMs} onGoTo={() => onGoTo(version)}>
              {`${kinds[type] ?? type} · ${label}`}
            </Moment>
          ))}
        </ul>
      ) : (
        <ul className="list moments" aria-label={say.heading}>
          {search.found.map((found) => (
            <Moment
              key={found.version}
              offsetMs={startedAt === null ? 0 : Date.parse(found.at) - startedAt.getTime()}
              onGoTo={() => onGoTo(found.version)}
            >
              {sayFound(found, kinds, people)}
            </Moment>
          ))}
        </ul>
      )}
    </section>
  );
});

interface MomentProps {
  offsetMs: number;
  onGoTo(): void;
  children: string;
}

function Moment({ offsetMs, onGoTo, children }: MomentProps) {
  return (
    <li className="row">
      <button type="button" className="quiet small" onClick={onGoTo}>
        {offsetMs < 0 ? `−${sayLength(-offsetMs)}` : sayLength(offsetMs)}
      </button>
      <span className="grow clip" dir="auto">
        {children}
      </span>
    </li>
  );
}

function sayState({ state, found, read, isMore }: Search, { find }: ReturnType<typeof useTimelineWords>) {
  if (state === 'none') return '';
  if (state === 'searching') return find.searching(read);
  if (state === 'failed') return find.failed;
  return isMore ? find.more(mostFound) : find.found(found.length);
}

function sayFound({ type, data }: Found, kinds: Record<string, string>, people: Participant[]): string {
  const { userId, displayName, message, status, reason } = data;
  const known = people.find((person) => person.userId === userId)?.displayName;
  const name =
    typeof displayName === 'string' ? displayName : (known ?? (userId === undefined ? '' : `${userId}`));
  const more = [message, status, reason].find((value) => typeof value === 'string');
  return [name, kinds[type] ?? type, more].filter((part) => part !== undefined && part !== '').join(' · ');
}

/** The person of that name, or of that number. */
function idOf(people: readonly Participant[], named: string): number | undefined {
  const wanted = named.toLocaleLowerCase();
  const found = people.find(({ displayName }) => displayName?.toLocaleLowerCase() === wanted);
  return found?.userId ?? (/^\d{1,15}$/.test(named) ? Number(named) : undefined);
}

/** A workshop played again, beside the curves of how it went: the room as it was at any moment, and what to find in it. */
import { useCallback, useEffect, useRef, useState } from 'react';
import { useWorkshopReplay, type WorkshopReplay } from '../../src/hooks/useWorkshopReplay.ts';
import { basePath } from '../shared/base.ts';
import { serverNow } from '../shared/serverClock.ts';
import { useTitle } from '../shared/useTitle.ts';
import { sayRefusal, sayTime, useWords } from '../words/words.ts';
import { notePlace, readPlace } from './address.ts';
import { ChatThen } from './ChatThen.tsx';
import { Curves } from './Curves.tsx';
import { Figures } from './Figures.tsx';
import { Find } from './Find.tsx';
import { HandWaits } from './HandWaits.tsx';
import { Numbers } from './Numbers.tsx';
import { RoomThen } from './RoomThen.tsx';
import { type Records, useRecords } from './records.ts';
import { Scrubber } from './Scrubber.tsx';
import { TookPart } from './TookPart.tsx';
import { Transport } from './Transport.tsx';
import { useKeys } from './useKeys.ts';
import { useTimelineWords } from './words.ts';

interface TimelineProps {
  workshopId: number;
  onExit(): void;
  onSignedOut(): void;
}

export default function Timeline({ workshopId, onExit, onSignedOut }: TimelineProps) {
  const words = useTimelineWords();
  const { status } = useWords();
  const [{ offsetMs, speed = 1 }] = useState(readPlace);
  const replay = useWorkshopReplay(workshopId, { url: basePath, offsetMs, now: serverNow });
  const { workshopState: state, phase, error, durationMs, isOpen, setSpeed } = replay;
  const records = useRecords(workshopId, durationMs, isOpen);
  useTitle(state === null ? words.heading : `${state.title} · ${words.heading}`);
  useKeys(replay);
  useAddress(replay);
  useEffect(() => setSpeed(speed), [setSpeed, speed]);
  const code = phase === 'failed' ? error?.code : undefined;
  useEffect(() => {
    if (code === 'unauthenticated') onSignedOut();
  }, [code, onSignedOut]);

  return (
    <main className="timeline">
      <header className="room-header">
        <div className="row top">
          <button type="button" className="leave" onClick={onExit}>
            <span aria-hidden="true">←</span> {words.back}
          </button>
          <h1 className="grow title">
            <bdi>{state?.title ?? words.heading}</bdi>
          </h1>
          {state !== null && <span className={`chip ${state.status}`}>{status[state.status]}</span>}
        </div>
        {state !== null && state.startedAt !== null && <p className="soft">{sayTime(state.startedAt)}</p>}
      </header>
      <Standing replay={replay} />
      {durationMs !== null && (
        <Played workshopId={workshopId} replay={replay} durationMs={durationMs} records={records} />
      )}
    </main>
  );
}

/** What is the matter, where something is. */
function Standing({
  replay: { phase, error, durationMs, workshopState, isOpen },
}: {
  replay: WorkshopReplay;
}) {
  const words = useTimelineWords();
  const { loading } = useWords();
  if (phase === 'failed' && error !== null)
    return (
      <p className="card problem" role="alert">
        {error.code === 'forbidden' || error.code === 'not_a_member' ? words.forbidden : sayRefusal(error)}
      </p>
    );
  if (error !== null)
    return (
      <p className="card problem" role="alert">
        {words.delayed(sayRefusal(error))}
      </p>
    );
  if (workshopState === null) return <p className="soft card">{loading}</p>;
  if (durationMs === null) return <p className="soft card">{isOpen ? words.notYet : words.never}</p>;
  return null;
}

interface PlayedProps {
  workshopId: number;
  replay: WorkshopReplay;
  durationMs: number;
  records: Records | null;
}

function Played({ workshopId, replay, durationMs, records }: PlayedProps) {
  const { seek, seekVersion, offsetMs } = replay;
  const series = records?.curves.series;
  const player = useRef<HTMLElement>(null);
  // From further down one wants to see what one goes to.
  const seekFromBelow = useCallback(
    (to: number) => {
      seek(to);
      player.current?.scrollIntoView();
    },
    [seek],
  );
  const goToFromBelow = useCallback(
    (version: number) => {
      seekVersion(version);
      player.current?.scrollIntoView();
    },
    [seekVersion],
  );
  return (
    <>
      <div>
        <section ref={player} className="card player">
          {series !== undefined && records !== null && (
            <Curves
              series={series}
              bucketMs={records.curves.bucketMs}
              durationMs={durationMs}
              offsetMs={offsetMs}
              onSeek={seek}
            />
          )}
          <Scrubber
            offsetMs={offsetMs}
            durationMs={durationMs}
            marks={records?.curves.marks ?? noMarks}
            onSeek={seek}
          />
          <Transport replay={replay} durationMs={durationMs} />
        </section>
        <div className="columns then">
          <RoomThen
            attendees={replay.attendees}
            attendeeCount={replay.attendeeCount}
            raisedHands={replay.raisedHands}
          />
          <ChatThen messages={replay.messages} onGoTo={seekVersion} />
        </div>
      </div>
      {records !== null && (
        <>
          <Figures totals={records.curves.totals} />
          <Find
            workshopId={workshopId}
            people={records.people}
            marks={records.curves.marks}
            startedAt={replay.workshopState?.startedAt ?? null}
            onGoTo={goToFromBelow}
          />
          <HandWaits hands={records.hands} onGoTo={goToFromBelow} />
          <TookPart people={records.people} />
          <Numbers series={records.curves.series} onSeek={seekFromBelow} />
        </>
      )}
      <Files workshopId={workshopId} />
    </>
  );
}

const noMarks: Records['curves']['marks'] = [];

const files = {
  attendance: 'what=attendance&format=csv',
  chat: 'what=chat&format=csv',
  subtitles: 'what=chat&format=vtt',
  events: 'what=events&format=ndjson',
} as const;

function Files({ workshopId }: { workshopId: number }) {
  const words = useTimelineWords();
  return (
    <section className="card row" aria-labelledby="files">
      <h2 id="files">{words.exports}</h2>
      {(['attendance', 'chat', 'subtitles', 'events'] as const).map((file) => (
        <a key={file} href={`${basePath}/api/workshops/${workshopId}/export?${files[file]}`} download>
          {words.files[file]}
        </a>
      ))}
    </section>
  );
}

/** Keeps moment and speed in the address, so that a link leads to what one sees. */
function useAddress({ offsetMs, speed, phase }: WorkshopReplay): void {
  const seconds = Math.floor(offsetMs / 1_000);
  useEffect(() => {
    if (phase === 'ready') notePlace({ offsetMs: seconds * 1_000, speed });
  }, [phase, seconds, speed]);
}

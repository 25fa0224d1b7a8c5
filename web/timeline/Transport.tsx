/** Playing, stepping, speed. */
import { replaySpeeds, type WorkshopReplay } from '../../src/hooks/useWorkshopReplay.ts';
import { sayLength } from '../words/words.ts';
import { leapMs } from './useKeys.ts';
import { useTimelineWords } from './words.ts';

export function Transport({ replay, durationMs }: { replay: WorkshopReplay; durationMs: number }) {
  const words = useTimelineWords();
  const { playing, offsetMs, phase, speed, skipsIdle, version, lastVersion, isOpen } = replay;
  const { play, pause, seek, step, setSpeed, setSkipsIdle } = replay;
  return (
    <>
      <div className="row transport">
        <button type="button" className="primary" onClick={playing ? pause : play}>
          {playing ? words.pause : words.play}
        </button>
        <button type="button" onClick={() => seek(offsetMs - leapMs)}>
          {words.back10}
        </button>
        <button type="button" onClick={() => seek(offsetMs + leapMs)}>
          {words.on10}
        </button>
        <button type="button" disabled={version <= 1} onClick={() => step(-1)}>
          {words.eventBack}
        </button>
        <button type="button" disabled={version >= lastVersion} onClick={() => step(1)}>
          {words.eventOn}
        </button>
        <label className="row">
          <span>{words.speed}</span>
          <select value={speed} onChange={({ target }) => setSpeed(Number(target.value))}>
            {replaySpeeds.map((one) => (
              <option key={one} value={one}>
                {words.times(one)}
              </option>
            ))}
          </select>
        </label>
        <label className="row">
          <input
            type="checkbox"
            checked={skipsIdle}
            onChange={({ target }) => setSkipsIdle(target.checked)}
          />
          <span>{words.skipIdle}</span>
        </label>
        {/* Not a status: it would be read aloud every second. The slider says it to whoever moves it. */}
        <p className="at">
          {offsetMs < 0
            ? words.before(sayLength(-offsetMs))
            : words.moment(sayLength(offsetMs), sayLength(durationMs))}
        </p>
      </div>
      <p className="soft">{phase === 'waiting' ? words.fetching : isOpen ? words.open : words.keys}</p>
    </>
  );
}

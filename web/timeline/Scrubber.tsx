/** Where in the workshop one is, to be moved, under marks of what stands out. */
import { sayLength } from '../words/words.ts';
import type { Mark } from './records.ts';
import { useTimelineWords } from './words.ts';

interface ScrubberProps {
  offsetMs: number;
  durationMs: number;
  marks: readonly Mark[];
  onSeek(offsetMs: number): void;
}

/** More than that would be a bar, not marks. */
const shown = 120;

export function Scrubber({ offsetMs, durationMs, marks, onSeek }: ScrubberProps) {
  const words = useTimelineWords();
  const length = Math.max(1, durationMs);
  const at = Math.min(Math.max(0, offsetMs), length);
  return (
    // Time runs as the curves do, whichever way the language is written.
    <div className="scrubber" dir="ltr">
      <div className="marks" aria-hidden="true">
        {marks.slice(0, shown).map(({ version, type, offsetMs: markMs }) => (
          <span
            key={`${version} ${type}`}
            className={`mark ${type}`}
            title={`${sayLength(markMs)} ${words.kinds[type] ?? type}`}
            style={{ insetInlineStart: `${(100 * markMs) / length}%` }}
          />
        ))}
      </div>
      <input
        type="range"
        aria-label={words.position}
        aria-valuetext={words.moment(sayLength(at), sayLength(durationMs))}
        min={0}
        max={Math.ceil(length / 1_000)}
        step={1}
        value={Math.floor(at / 1_000)}
        onChange={({ target }) => onSeek(Number(target.value) * 1_000)}
      />
    </div>
  );
}

/** How it went over time: small curves over one another, and the moment that is shown as a line through all of them. */
import { memo, type PointerEvent, useRef } from 'react';
import { Plot } from './Plot.tsx';
import type { Bucket } from './records.ts';
import { useTimelineWords } from './words.ts';

interface CurvesProps {
  series: Bucket[];
  bucketMs: number;
  durationMs: number;
  offsetMs: number;
  onSeek(offsetMs: number): void;
}

export function Curves({ series, bucketMs, durationMs, offsetMs, onSeek }: CurvesProps) {
  const words = useTimelineWords();
  const area = useRef<HTMLDivElement>(null);
  const seek = ({ clientX }: PointerEvent) => {
    const box = area.current?.getBoundingClientRect();
    if (box === undefined || box.width === 0) return;
    onSeek((durationMs * Math.min(Math.max(0, clientX - box.left), box.width)) / box.width);
  };
  const share = Math.min(Math.max(0, offsetMs / Math.max(1, durationMs)), 1);
  return (
    <div className="curves" dir="ltr">
      <p className="hidden">{words.curves.why}</p>
      <Plots series={series} bucketMs={bucketMs} lengthMs={series.length * bucketMs} />
      {/* For pointers: with the keyboard one moves the slider below. */}
      <div
        ref={area}
        className="playhead-area"
        title={words.curves.why}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          seek(event);
        }}
        onPointerMove={(event) => event.buttons === 1 && seek(event)}
      >
        <div className="playhead" style={{ insetInlineStart: `${100 * share}%` }} />
      </div>
    </div>
  );
}

/** Drawn when their numbers change, and not with every picture that is played. */
const Plots = memo(function Plots({
  series,
  bucketMs,
  lengthMs,
}: Omit<CurvesProps, 'offsetMs' | 'onSeek' | 'durationMs'> & { lengthMs: number }) {
  const { curves } = useTimelineWords();
  const about = { series, bucketMs, lengthMs };
  return (
    <>
      <Plot
        {...about}
        lines={[
          { label: curves.present, field: 'present', color: '--accent' },
          { label: curves.speakers, field: 'speakers', color: '--good' },
        ]}
      />
      <Plot {...about} lines={[{ label: curves.chat, field: 'chat', color: '--soft', isBars: true }]} />
      <Plot {...about} showsTime lines={[{ label: curves.handsUp, field: 'handsUp', color: '--warm' }]} />
    </>
  );
});

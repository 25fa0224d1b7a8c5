/** One small chart over the length of the workshop. The numbers behind it stand in a table further down, for who cannot see it. */
import { useEffect, useRef, useSyncExternalStore } from 'react';
import uPlot from 'uplot';
import { preferences } from '../shared/preferences.ts';
import { sayLength, sayNumber } from '../words/words.ts';
import type { Bucket } from './records.ts';

interface Line {
  label: string;
  field: Exclude<keyof Bucket, 'offsetMs'>;
  /** A colour of the stylesheet. */
  color: `--${string}`;
  isBars?: boolean;
}

interface PlotProps {
  series: Bucket[];
  bucketMs: number;
  lengthMs: number;
  lines: Line[];
  showsTime?: boolean;
}

const height = 62;
/** Of the scale of time, which the last of several plots has. */
const timeHeight = 22;
/** As `.playhead-area` of the stylesheet begins, in pixels. */
const axisWidth = 44;

export function Plot({ series, bucketMs, lengthMs, lines, showsTime = false }: PlotProps) {
  const place = useRef<HTMLDivElement>(null);
  const theme = useTheme();
  const drawnHeight = showsTime ? height + timeHeight : height;
  // biome-ignore lint/correctness/useExhaustiveDependencies: another theme has other colours, which are read from the stylesheet
  useEffect(() => {
    const { current: target } = place;
    if (target === null) return;
    const color = (of: string) => computedColor(target, of);
    const [soft, line] = [color('var(--soft)'), color('var(--line)')];
    const plot = new uPlot(
      {
        ...{
          width: target.clientWidth,
          height: drawnHeight,
          legend: { show: false },
          cursor: { show: false },
        },
        // The lowest number of the scale stands half below the line.
        padding: [6, 0, showsTime ? 0 : 6, 0],
        scales: {
          x: { time: false, range: [0, Math.max(1, lengthMs)] },
          // Counts: from nothing to a little over the most.
          y: { range: (_, __, most) => [0, Math.max(1, most * 1.1)] },
        },
        axes: [
          {
            ...{
              stroke: soft,
              size: showsTime ? timeHeight : 0,
              grid: { stroke: line, width: 1 },
              ticks: { show: false },
            },
            // What would stand half beyond the end is left out.
            values: (_, marks) =>
              marks.map((mark) => (showsTime && mark < 0.97 * lengthMs ? sayLength(mark) : '')),
            // Whole minutes, or what of them fits.
            incrs: [1, 5, 10, 30, 60, 300, 600, 900, 1_800, 3_600, 7_200, 21_600, 86_400].map(
              (s) => s * 1_000,
            ),
            font: '11px system-ui, sans-serif',
          },
          {
            ...{ stroke: soft, size: axisWidth, grid: { show: false }, ticks: { show: false } },
            values: (_, marks) => marks.map((mark) => (Number.isInteger(mark) ? sayNumber(mark) : '')),
            ...{ space: 24, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000] },
            font: '11px system-ui, sans-serif',
          },
        ],
        series: [
          {},
          ...(lines.map(({ label, color: name, isBars }) => ({
            label,
            stroke: color(`var(${name})`),
            width: 1.5,
            points: { show: false },
            fill: color(`color-mix(in srgb, var(${name}) ${isBars ? 60 : 14}%, transparent)`),
            // The highest of a stretch holds for the whole of it.
            paths: isBars
              ? uPlot.paths.bars?.({ size: [0.8, 20], align: 1 })
              : uPlot.paths.stepped?.({ align: 1 }),
          })) as uPlot.Series[]),
        ],
      },
      dataOf(series, bucketMs, lines),
      target,
    );
    const resized = new ResizeObserver(() =>
      plot.setSize({ width: target.clientWidth, height: drawnHeight }),
    );
    resized.observe(target);
    return () => {
      resized.disconnect();
      plot.destroy();
    };
  }, [series, bucketMs, lengthMs, lines, drawnHeight, theme]);
  return (
    <figure className="plot">
      <figcaption>
        {lines.map(({ label, field, color }) => (
          <span key={field} style={{ color: `var(${color})` }}>
            {label}
          </span>
        ))}
      </figcaption>
      <div ref={place} aria-hidden="true" />
    </figure>
  );
}

/** As a canvas takes it, which knows neither variables nor themes. */
function computedColor(place: HTMLElement, color: string): string {
  place.style.color = color;
  const computed = getComputedStyle(place).color;
  place.style.color = '';
  return computed;
}

/** The last value holds to the end. */
function dataOf(series: readonly Bucket[], bucketMs: number, lines: readonly Line[]): uPlot.AlignedData {
  const last = series.at(-1);
  const ends = last === undefined ? [] : [last.offsetMs + bucketMs];
  return [
    [...series.map(({ offsetMs }) => offsetMs), ...ends],
    ...lines.map(({ field, isBars }) => [
      ...series.map((bucket) => bucket[field]),
      ...ends.map(() => (isBars ? null : (last?.[field] ?? 0))),
    ]),
  ];
}

const dark = matchMedia('(prefers-color-scheme: dark)');

/** Changes with the colours of the page. */
function useTheme(): string {
  const { theme } = useSyncExternalStore(preferences.subscribe, preferences.snapshot, preferences.snapshot);
  const isDark = useSyncExternalStore(
    (listener) => {
      dark.addEventListener('change', listener);
      return () => dark.removeEventListener('change', listener);
    },
    () => dark.matches,
  );
  return `${theme} ${isDark}`;
}

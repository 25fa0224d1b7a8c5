/** The workshop in eight numbers; what each means is told in docs/analysis.md. */
import { sayLength, sayNumber } from '../words/words.ts';
import type { Curves } from './records.ts';
import { useTimelineWords } from './words.ts';

export function Figures({ totals }: { totals: Curves['totals'] }) {
  const { figures } = useTimelineWords();
  const { averageMinutesPresent, medianHandWaitMs, p90HandWaitMs, spokeUpShare } = totals;
  const said: [label: string, value: string][] = [
    [figures.uniqueAttendees, sayNumber(totals.uniqueAttendees)],
    [figures.peakPresent, sayNumber(totals.peakPresent)],
    [figures.averageMinutesPresent, orDash(averageMinutesPresent, (n) => sayNumber(Math.round(10 * n) / 10))],
    [figures.messages, sayNumber(totals.messages)],
    [figures.handsRaised, sayNumber(totals.handsRaised)],
    [figures.medianHandWaitMs, orDash(medianHandWaitMs, sayLength)],
    [figures.p90HandWaitMs, orDash(p90HandWaitMs, sayLength)],
    [figures.spokeUpShare, orDash(spokeUpShare, sayShare)],
  ];
  return (
    <dl className="figures">
      {said.map(([label, value]) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

export function sayShare(share: number): string {
  return `${Math.round(100 * share)} %`;
}

export function orDash(value: number | null, say: (value: number) => string): string {
  return value === null ? '–' : say(value);
}

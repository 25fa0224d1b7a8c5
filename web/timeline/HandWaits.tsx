/** Which hands waited longest, and what became of them. */
import { memo } from 'react';
import { Table } from '../shared/Table.tsx';
import { sayLength, useWords } from '../words/words.ts';
import type { HandWait } from './records.ts';
import { useRest } from './useRest.tsx';
import { useTimelineWords } from './words.ts';

interface HandWaitsProps {
  hands: HandWait[];
  onGoTo(version: number): void;
}

export const HandWaits = memo(function HandWaits({ hands, onGoTo }: HandWaitsProps) {
  const { waits } = useTimelineWords();
  const { hands: words } = useWords();
  const { shown, more } = useRest(hands);
  return (
    <Table
      id="waits"
      heading={waits.heading}
      about={hands.length === 0 ? waits.none : waits.why}
      columns={[waits.person, waits.at, waits.waited, waits.outcome]}
      after={more}
    >
      {shown.map(({ version, userId, displayName, offsetMs, waitMs, outcome }) => (
        <tr key={version}>
          <td>
            <bdi>{displayName ?? words.someone(userId)}</bdi>
          </td>
          <td className="figure">
            <button type="button" className="quiet small" onClick={() => onGoTo(version)}>
              {sayLength(offsetMs)}
            </button>
          </td>
          <td className="figure">{sayLength(waitMs)}</td>
          <td>{waits.outcomes[outcome]}</td>
        </tr>
      ))}
    </Table>
  );
});

/** What the curves show, for who cannot see them: made when it is opened. */
import { memo, useState } from 'react';
import { Table } from '../shared/Table.tsx';
import { sayLength, sayNumber } from '../words/words.ts';
import type { Bucket } from './records.ts';
import { useTimelineWords } from './words.ts';

interface NumbersProps {
  series: Bucket[];
  onSeek(offsetMs: number): void;
}

export const Numbers = memo(function Numbers({ series, onSeek }: NumbersProps) {
  const { numbers, curves, waits } = useTimelineWords();
  const [isOpen, setOpen] = useState(false);
  return (
    <details className="card" onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>{numbers}</summary>
      {isOpen && (
        <Table
          id="numbers"
          heading={numbers}
          columns={[waits.at, curves.present, curves.speakers, curves.chat, curves.handsUp]}
        >
          {series.map(({ offsetMs, present, speakers, chat, handsUp }) => (
            <tr key={offsetMs}>
              <td className="figure">
                <button type="button" className="quiet small" onClick={() => onSeek(offsetMs)}>
                  {sayLength(offsetMs)}
                </button>
              </td>
              <td className="figure">{sayNumber(present)}</td>
              <td className="figure">{sayNumber(speakers)}</td>
              <td className="figure">{sayNumber(chat)}</td>
              <td className="figure">{sayNumber(handsUp)}</td>
            </tr>
          ))}
        </Table>
      )}
    </details>
  );
});

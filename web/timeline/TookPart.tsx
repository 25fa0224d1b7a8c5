/** Each person's part in it, in the order of any column. */
import { memo, useMemo, useState } from 'react';
import { Table } from '../shared/Table.tsx';
import { sayNumber, useWords } from '../words/words.ts';
import { orDash, sayShare } from './Figures.tsx';
import type { Participant } from './records.ts';
import { useRest } from './useRest.tsx';
import { useTimelineWords } from './words.ts';

type Column =
  | 'displayName'
  | 'role'
  | 'minutesPresent'
  | 'sharePresent'
  | 'messages'
  | 'handsRaised'
  | 'approvals';
const roles = ['host', 'co-host', 'speaker', 'attendee'];

export const TookPart = memo(function TookPart({ people }: { people: Participant[] }) {
  const { people: words } = useTimelineWords();
  const { hands } = useWords();
  const [by, setBy] = useState<Column>('minutesPresent');
  const sorted = useMemo(() => [...people].sort(order[by]), [people, by]);
  const { shown, more } = useRest(sorted);
  const columns: [Column, string][] = [
    ['displayName', words.person],
    ['role', words.role],
    ['minutesPresent', words.minutes],
    ['sharePresent', words.share],
    ['messages', words.messages],
    ['handsRaised', words.hands],
    ['approvals', words.approvals],
  ];
  return (
    <Table
      id="took-part"
      heading={words.heading}
      columns={columns.map(([column, label]) => ({
        label,
        sorted: column === by ? (ascending.includes(column) ? 'ascending' : 'descending') : undefined,
        sortLabel: words.sortBy(label),
        onSort: () => setBy(column),
      }))}
      after={more}
    >
      {shown.map((person) => (
        <tr key={person.userId}>
          <td>
            <bdi>{person.displayName ?? hands.someone(person.userId)}</bdi>
          </td>
          <td>{words.roles[person.role]}</td>
          <td className="figure">{sayNumber(Math.round(10 * person.minutesPresent) / 10)}</td>
          <td className="figure">{orDash(person.sharePresent, sayShare)}</td>
          <td className="figure">{sayNumber(person.messages)}</td>
          <td className="figure">{sayNumber(person.handsRaised)}</td>
          <td className="figure">{sayNumber(person.approvals)}</td>
        </tr>
      ))}
    </Table>
  );
});

/** Words from the first on, numbers from the highest on. */
const ascending: readonly Column[] = ['displayName', 'role'];

const most =
  (field: 'minutesPresent' | 'sharePresent' | 'messages' | 'handsRaised' | 'approvals') =>
  (one: Participant, other: Participant) =>
    (other[field] ?? 0) - (one[field] ?? 0);

const order: Record<Column, (one: Participant, other: Participant) => number> = {
  displayName: (one, other) => (one.displayName ?? '').localeCompare(other.displayName ?? ''),
  role: (one, other) => roles.indexOf(one.role) - roles.indexOf(other.role),
  minutesPresent: most('minutesPresent'),
  sharePresent: most('sharePresent'),
  messages: most('messages'),
  handsRaised: most('handsRaised'),
  approvals: most('approvals'),
};

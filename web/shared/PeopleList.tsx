/** People in a list of which only those in view are in the document: it stays fluid with thousands. */
import { useVirtualizer } from '@tanstack/react-virtual';
import { type ReactNode, useRef } from 'react';
import type { AttendeeInfo } from '../../src/hooks/useWorkshopSocket.ts';

/** As `.audience .person` of the stylesheet is high, in pixels. */
const rowHeight = 48;

interface PeopleListProps {
  label: string;
  people: readonly AttendeeInfo[];
  row(person: AttendeeInfo): ReactNode;
}

export function PeopleList({ label, people, row }: PeopleListProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: people.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 8,
    getItemKey: (index) => people[index]?.userId ?? index,
  });
  if (people.length === 0) return null;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section ref={scroller} className="audience" aria-label={label} tabIndex={0}>
      {/* biome-ignore lint/a11y/useSemanticElements: rows stand where they are put, which a list's items do not */}
      <div role="list" className="rows" style={{ blockSize: rows.getTotalSize() }}>
        {rows.getVirtualItems().map(({ key, index, start }) => {
          const person = people[index];
          return (
            person !== undefined && (
              // biome-ignore lint/a11y/useSemanticElements: see above
              <div
                key={key}
                role="listitem"
                aria-setsize={people.length}
                aria-posinset={index + 1}
                className="place"
                style={{ insetBlockStart: start }}
              >
                {row(person)}
              </div>
            )
          );
        })}
      </div>
    </section>
  );
}

/** Who listens: of thousands only those in view are in the document. */
import { useVirtualizer } from '@tanstack/react-virtual';
import { useRef } from 'react';
import type { AttendeeInfo } from '../../src/hooks/useWorkshopSocket.ts';
import { useWords } from '../words/words.ts';
import { Person, type PersonProps } from './Person.tsx';

/** As `.audience .person` of the stylesheet is high, in pixels. */
const rowHeight = 48;

type AudienceProps = Omit<PersonProps, 'attendee' | 'as'> & { audience: AttendeeInfo[] };

export function Audience({ audience, ...about }: AudienceProps) {
  const { people } = useWords();
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: audience.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 8,
    getItemKey: (index) => audience[index]?.userId ?? index,
  });
  if (audience.length === 0) return null;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section ref={scroller} className="audience" aria-label={people.audience} tabIndex={0}>
      {/* biome-ignore lint/a11y/useSemanticElements: rows stand where they are put, which a list's items do not */}
      <div role="list" className="rows" style={{ blockSize: rows.getTotalSize() }}>
        {rows.getVirtualItems().map(({ key, index, start }) => {
          const attendee = audience[index];
          return (
            attendee !== undefined && (
              // biome-ignore lint/a11y/useSemanticElements: see above
              <div
                key={key}
                role="listitem"
                aria-setsize={audience.length}
                aria-posinset={index + 1}
                className="place"
                style={{ insetBlockStart: start }}
              >
                <Person as="div" attendee={attendee} {...about} />
              </div>
            )
          );
        })}
      </div>
    </section>
  );
}

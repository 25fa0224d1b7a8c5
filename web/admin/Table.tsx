/** A table with a heading, which scrolls by itself where it is too wide. */
import type { ReactNode } from 'react';

interface TableProps {
  id: string;
  heading: string;
  columns: string[];
  children: ReactNode;
}

export function Table({ id, heading, columns, children }: TableProps) {
  return (
    <section className="card" aria-labelledby={id}>
      <h2 id={id}>{heading}</h2>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <section className="scrolls" tabIndex={0} aria-label={heading}>
        <table>
          <thead>
            <tr>
              {columns.map((column) => (
                <th key={column} scope="col">
                  {column}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>{children}</tbody>
        </table>
      </section>
    </section>
  );
}

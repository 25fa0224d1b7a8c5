/** A table with a heading, which scrolls by itself where it is too wide. */
import type { ReactNode } from 'react';

/** A column whose heading is a button that orders the rows by it. */
export interface SortedColumn {
  label: string;
  sorted: 'ascending' | 'descending' | undefined;
  sortLabel: string;
  onSort(): void;
}

interface TableProps {
  id: string;
  heading: string;
  columns: (string | SortedColumn)[];
  /** Under the heading. */
  about?: string;
  /** Under the rows. */
  after?: ReactNode;
  children: ReactNode;
}

export function Table({ id, heading, columns, about, after, children }: TableProps) {
  return (
    <section className="card" aria-labelledby={id}>
      <h2 id={id}>{heading}</h2>
      {about !== undefined && <p className="soft">{about}</p>}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <section className="scrolls" tabIndex={0} aria-label={heading}>
        <table>
          <thead>
            <tr>
              {columns.map((column) =>
                typeof column === 'string' ? (
                  <th key={column} scope="col">
                    {column}
                  </th>
                ) : (
                  <th key={column.label} scope="col" aria-sort={column.sorted ?? 'none'}>
                    <button
                      type="button"
                      className="quiet small"
                      aria-label={column.sortLabel}
                      onClick={column.onSort}
                    >
                      {column.label}
                      {column.sorted !== undefined && (
                        <span aria-hidden="true"> {column.sorted === 'ascending' ? '↑' : '↓'}</span>
                      )}
                    </button>
                  </th>
                ),
              )}
            </tr>
          </thead>
          <tbody>{children}</tbody>
        </table>
      </section>
      {after}
    </section>
  );
}

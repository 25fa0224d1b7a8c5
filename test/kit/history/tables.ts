/** C4: the tables equal what follows from the log. */
import { isDeepStrictEqual } from 'node:util';
import type { RecordedEvent } from '../../../src/domain/evolve.ts';
import { expectedTables, type Tables } from '../../projections/expected.ts';
import type { Report } from './history.ts';

export function checkTables(events: readonly RecordedEvent[], tables: Tables, report: Report): void {
  const expected = expectedTables(events);
  compare('workshops', tables.workshop, expected.workshop, report);
  for (const name of ['attendees', 'chat', 'events'] as const) {
    const rows = tables[name] as readonly unknown[];
    const due = expected[name] as readonly unknown[];
    for (let n = 0; n < Math.max(rows.length, due.length); n++)
      compare(`row ${n + 1} of ${name}`, rows[n], due[n], report);
  }
}

function compare(what: string, row: unknown, due: unknown, report: Report): void {
  if (!isDeepStrictEqual(row, due))
    report(`${what} is ${JSON.stringify(row)} and not ${JSON.stringify(due)}`);
}

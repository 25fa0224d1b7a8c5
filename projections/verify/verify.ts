/**
 * `workshop verify`: the log folded once more and held against every row of every table, so that nobody has to believe the
 * projector. Nothing is written, and nothing waits for it.
 */
import type { Database } from '../database/database.ts';
import type { ProjectedLog } from '../fold/source.ts';
import type { Reported, Summary } from './findings.ts';
import type { Patience } from './standing.ts';
import { type Report, verifyWorkshop } from './workshop.ts';

export interface Verifying {
  database: Database;
  log: ProjectedLog;
  /** The workshop that is looked at; all of them if left out. */
  workshopId?: number;
  /** Findings that are listed; the others are counted. */
  limit?: number;
  /** How long a projector may stand still, in milliseconds, before what it has not folded is reported as behind. */
  patienceMs?: number;
  signal?: AbortSignal;
}

/** Workshops that are compared at a time: each waits for the log and the database most of the time. */
const atOnce = 4;

/**
 * Findings and progress as they come, then the summary. A single workshop that nothing is known of ends it without a summary.
 * Rejects where the log or the database is away.
 */
export async function* verify(options: Verifying): AsyncGenerator<Reported> {
  const { database, log, workshopId, limit = 100, patienceMs = 30_000 } = options;
  const signal = options.signal ?? new AbortController().signal;
  const patience: Patience = { left: patienceMs };
  const ids = workshopId === undefined ? await everyWorkshop(database, log) : [workshopId];
  const summary = nothingYet();
  let shown = 0;
  for (let first = 0; first < ids.length; first += atOnce) {
    const group = ids.slice(first, first + atOnce);
    const reports = await Promise.all(
      group.map((id) => verifyWorkshop({ database, log, signal, patience }, id)),
    );
    for (const report of reports) {
      if (workshopId !== undefined && !report.isKnown) return;
      add(summary, report);
      for (const found of report.findings.listed) if (shown++ < limit) yield found;
    }
    yield { kind: 'progress', done: first + group.length, total: ids.length };
  }
  yield summary;
}

/** Every workshop that the log or any table has a trace of, in order. */
async function everyWorkshop(database: Database, log: ProjectedLog): Promise<number[]> {
  const ids = new Set<number>();
  for (let partition = 0; partition < log.partitions; partition++)
    for (const id of await log.streams.ids(partition)) ids.add(id);
  const inTables = await Promise.all([
    database.query('select id from workshops', []),
    ...['workshop_attendees', 'workshop_chat_messages', 'workshop_events'].map((table) =>
      database.query(idsIn(table), []),
    ),
  ]);
  for (const { id } of inTables.flat()) ids.add(Number(id));
  return [...ids].sort((one, other) => one - other);
}

/** From one workshop to the next by the table's key, whatever the number of rows between them. */
function idsIn(table: string): string {
  return `with recursive found (id) as (
    select min(workshop_id) from ${table}
    union all
    select (select min(workshop_id) from ${table} where workshop_id > found.id) from found where found.id is not null
  ) select id from found where id is not null`;
}

function nothingYet(): Summary {
  const wrong = { differences: 0, faults: 0, parked: 0, behind: 0 };
  return { kind: 'summary', workshops: 0, rows: 0, ...wrong, skipped: 0 };
}

function add(summary: Summary, { rows, findings }: Report): void {
  summary.workshops++;
  summary.rows += rows;
  summary.differences += findings.count('difference');
  summary.faults += findings.count('log');
  summary.parked += findings.count('parked');
  summary.behind += findings.count('behind');
  summary.skipped += findings.count('skipped');
}

/**
 * Proving the tables of one workshop: what its events give when they are folded anew, against every row and every column. It
 * reads page by page and holds nothing up, so the workshop may go on meanwhile: what differs then is looked at again.
 */
import { getTableName } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';
import { isPart } from '../../src/log/log.ts';
import { attendees } from '../attendees/schema.ts';
import { chatMessages } from '../chat/schema.ts';
import { namedColumns } from '../columns.ts';
import type { Row } from '../database.ts';
import { events } from '../events/schema.ts';
import { workshops } from '../workshops/schema.ts';
import { type Expected, expected } from './expected.ts';
import { type Difference, type Finding, type Findings, noFindings } from './findings.ts';
import { comparison } from './rows.ts';
import { type Patience, type Source, type StandingParts, settledSource, standingOf } from './standing.ts';

export interface Report {
  /** False where neither the log nor any table has anything of the workshop. */
  isKnown: boolean;
  /** Rows that were compared. */
  rows: number;
  findings: Findings;
}

export interface VerifyOptions extends StandingParts {
  patience: Patience;
}

/** How often a workshop that goes on is read again before what differed twice in a row counts. */
const attempts = 4;
/** Rows that are too many and that are looked at one by one; there may be more. */
const surplusLimit = 1_000;

export async function verifyWorkshop(options: VerifyOptions, workshopId: number): Promise<Report> {
  let before: ReadonlySet<string> | undefined;
  for (let attempt = 1; ; attempt++) {
    const source = await settledSource(options, workshopId, options.patience);
    const report = await compared(options, workshopId, source);
    const { findings } = report;
    const isDifferent = findings.count('difference') + findings.count('log') > 0;
    if (!isDifferent || (await isSteady(options, workshopId, source))) return report;
    if (attempt === attempts)
      return { ...report, findings: findings.only((each) => before?.has(placeOf(each))) };
    before = new Set(findings.told.map(placeOf));
  }
}

/** Whether neither log nor tables went on since. */
async function isSteady({ database, log }: VerifyOptions, workshopId: number, { head, standing }: Source) {
  const [headNow, now] = [await log.head(workshopId), await standingOf(database, workshopId)];
  return (
    (headNow?.epoch ?? '') === (head?.epoch ?? '') &&
    now.version === standing.version &&
    now.stored === standing.stored &&
    now.workshop?.epoch === standing.workshop?.epoch
  );
}

function placeOf(found: Finding): string {
  if (found.kind !== 'difference') return `${found.kind} ${found.version}`;
  return `${found.table} ${JSON.stringify(found.key)} ${found.column}`;
}

async function compared(options: VerifyOptions, workshopId: number, source: Source): Promise<Report> {
  const { database, log, signal } = options;
  const { head, standing, target } = source;
  const findings = noFindings();
  let rows = 0;
  const upTo = head === null ? standing.stored : Math.min(standing.version, head.version);
  if (standing.parked !== undefined) findings.add({ kind: 'parked', workshopId, ...standing.parked });
  else if (standing.version < target)
    findings.add({ kind: 'behind', workshopId, version: target, folded: standing.version });

  const told = await expected({
    ...{ database, log, workshopId, upTo, epoch: head?.epoch ?? null },
    onFault: (version, problem) => findings.add({ kind: 'log', workshopId, version, problem }),
    onSkipped: (version, by) => findings.add({ kind: 'skipped', workshopId, version, by }),
  });
  const chat = paged(chatMessages, 'id', options, workshopId);
  // Where there is no stream the table itself is what is folded.
  const stored = head === null ? undefined : paged(events, 'version', options, workshopId);
  let last = Number.MIN_SAFE_INTEGER;
  for await (const page of told.pages) {
    signal.throwIfAborted();
    const bounds = { after: last, to: page.to };
    findings.add(
      ...(await chat.compare(
        bounds,
        page.chat.map((row) => [row]),
      )),
    );
    if (stored !== undefined) findings.add(...(await stored.compare(bounds, page.events)));
    last = page.to;
  }
  const result = told.result();
  if (result !== undefined) {
    findings.add(...folded({ workshopId, source, result }));
    for (const table of [chat, stored])
      if (table !== undefined) findings.add(...(await table.surplus(last, options)));
    rows += standing.attendees.length + (standing.workshop === undefined ? 0 : 1);
  }
  findings.add(...(await repeatedIds(options, workshopId)));
  rows += chat.rows() + (stored?.rows() ?? standing.stored);
  return { isKnown: head !== null || rows > 0 || findings.told.length > 0, rows, findings };
}

interface Folded {
  workshopId: number;
  source: Source;
  result: NonNullable<ReturnType<Expected['result']>>;
}

/** The tables that hold a workshop as it is, and not what happened in it. */
function folded({ workshopId, source: { head, standing }, result }: Folded): Difference[] {
  const one = comparison({ table: workshops, workshopId, except: ['epoch'] });
  const people = comparison({ table: attendees, workshopId });
  const isThere = result.version > 0;
  const differences = one.differences(isThere ? { ...result.workshop } : undefined, standing.workshop);
  const noted = standing.workshop?.epoch;
  // A new epoch is noted with the next event; until then an older one stands there, and is right.
  if (head !== null && noted !== undefined && !isPart(head, String(noted), result.version))
    differences.push({
      ...{ kind: 'difference', workshopId, table: getTableName(workshops), key: { id: workshopId } },
      ...{ column: 'epoch', expected: head.epoch, found: noted },
    });
  const found = new Map(standing.attendees.map((row) => [people.keyOf(row), row]));
  for (const row of isThere ? result.attendees : []) {
    differences.push(...people.differences({ ...row }, found.get(row.userId)));
    found.delete(row.userId);
  }
  for (const row of found.values()) differences.push(...people.differences(undefined, row));
  return differences;
}

/** A table with a row for each of some events, page by page. */
function paged(table: PgTable, key: 'id' | 'version', { database }: VerifyOptions, workshopId: number) {
  const compare = comparison({ table, workshopId });
  let rows = 0;
  const read = (after: number, to: number, limit: number) =>
    database.query(
      `select ${namedColumns(table)} from ${getTableName(table)}
       where workshop_id = $1::bigint and ${key} > $2::bigint and ${key} <= $3::bigint
       order by ${key} limit $4::bigint`,
      [workshopId, after, to, limit],
    );

  return {
    rows: () => rows,
    /** `expected` has for each row what it may be, the first one being told where it is none of them. */
    async compare({ after, to }: { after: number; to: number }, expectedRows: object[][]) {
      const differences: Difference[] = [];
      const page = await read(after, to, Number.MAX_SAFE_INTEGER);
      rows += page.length;
      const found = new Map(page.map((row) => [compare.keyOf(row), row]));
      for (const alternatives of expectedRows) {
        const each = alternatives.map((row): Row => ({ ...row }));
        const row = each[0] && found.get(compare.keyOf(each[0]));
        if (each[0] !== undefined) found.delete(compare.keyOf(each[0]));
        const told = each.map((alternative) => compare.differences(alternative, row));
        if (told.every(({ length }) => length > 0)) differences.push(...(told[0] ?? []));
      }
      for (const row of found.values()) differences.push(...compare.differences(undefined, row));
      return differences;
    },
    /** Rows after the last one that there should be; the workshop may have gone on meanwhile. */
    async surplus(last: number, { log }: VerifyOptions) {
      const beyond = await read(last, Number.MAX_SAFE_INTEGER, surplusLimit);
      if (beyond.length === 0) return [];
      const head = await log.head(workshopId);
      return beyond
        .filter((row) => compare.keyOf(row) > (head?.version ?? 0))
        .flatMap((row) => compare.differences(undefined, row));
    },
  };
}

/** Each event has an id of its own. Asked of the table: that it holds what the log holds has been seen by now. */
async function repeatedIds({ database }: VerifyOptions, workshopId: number): Promise<Finding[]> {
  const repeated = await database.query(
    `select event_id, max(version) as version from workshop_events where workshop_id = $1::bigint
     group by event_id having count(*) > 1 order by 2 limit ${surplusLimit}`,
    [workshopId],
  );
  return repeated.map(({ event_id, version }) => ({
    ...{ kind: 'log', workshopId, version: Number(version) },
    problem: `the id ${event_id} is that of an earlier event too`,
  }));
}

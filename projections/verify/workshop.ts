/**
 * Proving the tables of one workshop: what its events give when they are folded once more, against every row and every column. It
 * reads page by page and holds nothing up, so the workshop may go on meanwhile.
 *
 * ```
 *   wait for the projector ──► compare ──► nothing differs, or neither log nor tables went on since: the report
 *            ▲                    │ differs, and the workshop went on
 *            └────────────────────┴──► after four times: what differed twice in a row
 * ```
 */
import { getTableName } from 'drizzle-orm';
import { isPart } from '../../src/log/log.ts';
import { attendees } from '../attendees/schema.ts';
import { chatMessages } from '../chat/schema.ts';
import { events } from '../events/schema.ts';
import { workshops } from '../workshops/schema.ts';
import { eventTable, surplusLimit } from './eventTable.ts';
import { type ExpectedPage, expectedPages } from './expected.ts';
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

export async function verifyWorkshop(options: VerifyOptions, workshopId: number): Promise<Report> {
  let before: ReadonlySet<string> | undefined;
  for (let attempt = 1; ; attempt++) {
    const source = await settledSource(options, workshopId, options.patience);
    const report = await compared(options, workshopId, source);
    const { findings } = report;
    const isDifferent = findings.count('difference') + findings.count('log') > 0;
    if (!isDifferent || (await isSteady(options, workshopId, source))) return report;
    if (attempt === attempts)
      return { ...report, findings: findings.only((each) => before?.has(identityOf(each))) };
    before = new Set(findings.listed.map(identityOf));
  }
}

/** Whether neither log nor tables went on since. */
async function isSteady({ database, log }: VerifyOptions, workshopId: number, { head, standing }: Source) {
  const [headNow, now] = [await log.events.head(workshopId), await standingOf(database, workshopId)];
  return (
    (headNow?.epoch ?? '') === (head?.epoch ?? '') &&
    now.version === standing.version &&
    now.stored === standing.stored &&
    now.workshop?.epoch === standing.workshop?.epoch
  );
}

/** The same in two comparisons of which each found it. */
function identityOf(found: Finding): string {
  if (found.kind !== 'difference') return `${found.kind} ${found.version}`;
  return `${found.table} ${JSON.stringify(found.key)} ${found.column}`;
}

async function compared(options: VerifyOptions, workshopId: number, source: Source): Promise<Report> {
  const { database, log, signal } = options;
  const { head, standing } = source;
  const findings = noFindings();
  findings.add(...waiting(workshopId, source));
  const pages = expectedPages({
    ...{ database, log, workshopId, epoch: head?.epoch ?? null },
    upTo: head === null ? standing.stored : Math.min(standing.version, head.version),
    onFault: (version, problem) => findings.add({ kind: 'log', workshopId, version, problem }),
    onSkipped: (version, by) => findings.add({ kind: 'skipped', workshopId, version, by }),
  });
  const tables = tablesOf(options, workshopId, head !== null);
  let rows = 0;
  let last = Number.MIN_SAFE_INTEGER;
  for await (const page of pages) {
    signal.throwIfAborted();
    if (page.kind === 'events') {
      for (const { table, expected } of tables)
        findings.add(...(await table.compare({ after: last, to: page.to }, expected(page))));
      last = page.to;
    } else {
      findings.add(...workshopDifferences(workshopId, source, page));
      for (const { table } of tables) findings.add(...(await table.surplus(last)));
      rows += standing.attendees.length + (standing.workshop === undefined ? 0 : 1);
    }
  }
  findings.add(...(await repeatedIds(options, workshopId)));
  for (const { table } of tables) rows += table.rows;
  // Where there is no stream the stored events are themselves what is folded.
  if (head === null) rows += standing.stored;
  return { isKnown: head !== null || rows > 0 || findings.listed.length > 0, rows, findings };
}

/** Why the tables do not hold all that they should. */
function waiting(workshopId: number, { standing, target }: Source): Finding[] {
  const { parked, version: folded } = standing;
  if (parked !== undefined) return [{ kind: 'parked', workshopId, ...parked }];
  return folded < target ? [{ kind: 'behind', workshopId, version: target, folded }] : [];
}

type EventPage = Extract<ExpectedPage, { kind: 'events' }>;
type WorkshopPage = Extract<ExpectedPage, { kind: 'workshop' }>;

/** The tables that hold what happened in a workshop, and what a page says of them. */
function tablesOf(options: VerifyOptions, workshopId: number, hasStream: boolean) {
  const { database, log } = options;
  const common = { database, log, workshopId };
  const chat = {
    table: eventTable({ ...common, table: chatMessages, key: 'id' }),
    expected: (page: EventPage): object[][] => page.chat.map((row) => [row]),
  };
  const stored = {
    table: eventTable({ ...common, table: events, key: 'version' }),
    expected: (page: EventPage): object[][] => page.events,
  };
  return hasStream ? [chat, stored] : [chat];
}

/** The tables that hold a workshop as it is, and not what happened in it. */
function workshopDifferences(
  workshopId: number,
  { head, standing }: Source,
  expected: WorkshopPage,
): Difference[] {
  const one = comparison({ table: workshops, workshopId, except: ['epoch'] });
  const isThere = expected.version > 0;
  const differences = one.differences(isThere ? { ...expected.workshop } : undefined, standing.workshop);
  const noted = standing.workshop?.epoch;
  // A new epoch is noted with the next event; until then an older one stands there, and is right.
  if (head !== null && noted !== undefined && !isPart(head, String(noted), expected.version))
    differences.push({
      ...{ kind: 'difference', workshopId, table: getTableName(workshops), key: { id: workshopId } },
      ...{ column: 'epoch', expected: head.epoch, found: noted },
    });
  return [...differences, ...attendeeDifferences(workshopId, isThere ? expected.attendees : [], standing)];
}

function attendeeDifferences(
  workshopId: number,
  expected: WorkshopPage['attendees'],
  standing: Source['standing'],
): Difference[] {
  const people = comparison({ table: attendees, workshopId });
  const found = new Map(standing.attendees.map((row) => [people.keyOf(row), row]));
  const differences: Difference[] = [];
  for (const row of expected) {
    differences.push(...people.differences({ ...row }, found.get(row.userId)));
    found.delete(row.userId);
  }
  for (const row of found.values()) differences.push(...people.differences(undefined, row));
  return differences;
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

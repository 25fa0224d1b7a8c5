/** The rows of one workshop as a rebuild makes them: folded from its first event up to the version that the tables have. */
import { EventMissing } from '../../src/log/log.ts';
import type { Database, Row } from '../database/database.ts';
import { arrayText } from '../database/encoding.ts';
import { placeholderRow } from '../events/projection.ts';
import { storedEvents } from '../events/queries.ts';
import type { EventRow } from '../events/schema.ts';
import { attendeeRows, type Changes, noChanges } from '../fold/folding.ts';
import { deletionsOf, type Fault, foldedPages, withDeletions } from '../fold/pages.ts';
import { type Skips, skipsOf } from '../fold/skips.ts';
import { type ProjectedLog, type Step, sourceOf, stepsOf } from '../fold/source.ts';
import { emptyState } from '../fold/state.ts';
import { Unfoldable } from '../parked/parked.ts';
import { workshopRow } from '../workshops/projection.ts';

/** What the tables have of a workshop. */
export interface Target {
  workshopId: number;
  version: number;
  epoch: string;
  /** Whether an event of it was given up. */
  hasSkips: boolean;
}

/** Of workshops whose tables have something; the others are left out. */
export async function targetsOf(
  database: Database,
  workshopIds: readonly number[],
): Promise<Map<number, Target>> {
  const rows = await database.query(
    `select id, version, epoch,
       exists (select from projection_skipped s where s.workshop_id = w.id) as skipped
     from workshops w where id = any($1::text::bigint[]) and version > 0`,
    [arrayText(workshopIds)],
  );
  return new Map(rows.map(targetOf).map((target) => [target.workshopId, target]));
}

function targetOf(row: Row): Target {
  const { id, version, epoch, skipped } = row;
  return {
    workshopId: Number(id),
    version: Number(version),
    epoch: String(epoch),
    hasSkips: skipped === true,
  };
}

/** Log and tables are not at the same version: the workshop has to be brought up to the log first. */
export class Moved extends Error {
  override name = 'Moved';
}

export interface RebuiltOptions {
  database: Database;
  log: ProjectedLog;
  target: Target;
  /** Events to a page. */
  page: number;
}

/**
 * Rows page by page: those of chat and events with the events that they come from, the others with the last page. Texts that
 * are deleted by the target's version are in none of them. Rows of `workshop_events` come from the log alone: where it has let
 * go of the stream, that table is what is read. Throws `Unfoldable` and `Moved`.
 */
export async function* rebuiltRows({ database, log, target, page }: RebuiltOptions): AsyncGenerator<Changes> {
  const { workshopId, version, epoch } = target;
  const hasStream = await isLogged(log, target);
  const source = sourceOf({ database, log }, hasStream);
  const steps = await readable(() => stepsOf(source, workshopId, 0, page), version, page);
  const skips: Skips = target.hasSkips ? await skipsOf(database, workshopId) : new Map();
  const deletions = await deletionsOf(steps(), skips, version);
  const state = emptyState(workshopId);
  let before = 0;
  for await (const folded of foldedPages({ state, epoch, steps: steps(), skips, deletions, upTo: version })) {
    if (folded.kind === 'fault') throw failure(folded, target, hasStream);
    if (folded.kind === 'skipped') {
      const placeholder = placeholderRow(workshopId, { ...folded, at: before });
      before = placeholder.at;
      if (hasStream && !(await isStored(database, placeholder)))
        yield { ...noChanges(), events: [placeholder] };
      continue;
    }
    const { chat, events } = folded.changes;
    before = events.at(-1)?.at ?? before;
    yield { ...noChanges(), chat: withDeletions(chat, deletions), events: hasStream ? events : [] };
  }
  if (state.room.version !== version) throw incomplete(target, hasStream, state.room.version + 1);
  // The same history from the first page to the last.
  if ((await isLogged(log, target)) !== hasStream) throw new Moved(`workshop ${workshopId} lost its stream`);
  yield { ...noChanges(), workshops: [workshopRow(state.room, epoch)], attendees: attendeeRows(state) };
}

type Steps = Iterable<Step> | AsyncIterable<Step>;

/** For two passes: a short workshop is read once for both. */
async function readable(
  read: () => AsyncIterable<Step>,
  version: number,
  page: number,
): Promise<() => Steps> {
  if (version > page) return read;
  const steps: Step[] = [];
  for await (const step of read()) {
    steps.push(step);
    if (lastOf(step) >= version) break;
  }
  return () => steps;
}

function lastOf(step: Step): number {
  return step.kind === 'unreadable' ? step.version : (step.events.at(-1)?.version ?? 0);
}

async function isLogged(log: ProjectedLog, { workshopId, version, epoch }: Target): Promise<boolean> {
  const head = await log.events.head(workshopId);
  if (head === null || head.version === 0) return false;
  if (head.epoch !== epoch || head.version < version)
    throw new Moved(`workshop ${workshopId}: another epoch`);
  return true;
}

function failure({ what, version, after, cause }: Fault, target: Target, hasStream: boolean): Error {
  return what === 'gap' ? incomplete(target, hasStream, after + 1) : new Unfoldable(version, cause);
}

/** The log is read again; what is stored of a workshop without a stream stays as it is. */
function incomplete({ workshopId }: Target, hasStream: boolean, version: number): Error {
  return hasStream
    ? new Moved(`workshop ${workshopId}: the log has no event ${version}`)
    : new Unfoldable(version, new EventMissing(workshopId, version));
}

/** What keeps the place of an event that was given up stays as it is. */
async function isStored(database: Database, { workshopId, version }: EventRow): Promise<boolean> {
  return (await storedEvents(database).each(workshopId, [version])).length > 0;
}

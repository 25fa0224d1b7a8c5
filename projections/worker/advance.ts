/** Folding what the tables of one workshop lack, page by page, each in a commit of its writer. */
import type { RecordedEvent } from '../../src/domain/evolve.ts';
import type { Head } from '../../src/log/log.ts';
import type { FencedWriter } from '../checkpoints/fencedWriter.ts';
import { isRefusal } from '../database/database.ts';
import { eventRow, placeholderRow, redactRow } from '../events/projection.ts';
import { storedEvents } from '../events/queries.ts';
import type { EventRow } from '../events/schema.ts';
import { type Changes, noChanges } from '../fold/folding.ts';
import { type Deletions, deletionsOf, type FoldedPage, foldedPages } from '../fold/pages.ts';
import { type Skip, type Skips, skipsOf } from '../fold/skips.ts';
import { type EventSource, sourceOf, stepsOf } from '../fold/source.ts';
import { emptyState, loadStates, type WorkshopState } from '../fold/state.ts';
import { Unfoldable } from '../parked/parked.ts';
import { workshopRow } from '../workshops/projection.ts';
import { type DivergedOptions, reconcile } from './diverged.ts';

export interface AdvanceOptions extends DivergedOptions {
  /** An event that was given up is left out. */
  onSkipped(workshopId: number, version: number, by: string): void;
}

export interface Stretch {
  /** Events to a commit. */
  page: number;
  /** Events at most. */
  most: number;
}

/** Throws `Unfoldable` where the next event can't be folded, and `Fenced`. It may be repeated. */
export async function advance(
  options: AdvanceOptions,
  workshopId: number,
  { page, most }: Stretch,
): Promise<void> {
  const { database, log } = options;
  const head = await log.events.head(workshopId);
  // Without a stream there is nothing to compare: the workshop is archived, and what Postgres has is what there is.
  if (head !== null && (await reconcile(options, workshopId, head)) === 'stale') return;
  const state = (await loadStates(database, [workshopId])).get(workshopId) ?? emptyState(workshopId);
  const { version } = state.room;
  const skips = await skipsOf(database, workshopId);
  const deletions = await deletionsAhead(log.events, state, { head, page, skips });
  const advancing = { ...options, state, epoch: head?.epoch ?? state.epoch, deletions };
  const steps = stepsOf(sourceOf({ database, log }, head !== null), workshopId, version, page);
  let left = most;
  for await (const folded of foldedPages({ ...advancing, steps, skips })) {
    await commit(advancing, folded);
    left -= folded.kind === 'rows' ? folded.to - folded.after : 1;
    if (left <= 0) return;
  }
  // The stream went away while it was read, or lost its end: what is there now is looked at again.
  if (head !== null && state.room.version < head.version)
    throw new Error(`workshop ${workshopId} ended at version ${state.room.version} of ${head.version}`);
  await noteEpoch(advancing);
}

/**
 * Messages that are deleted by now lose their text as they are folded: what was deleted must not come back for the time between
 * two commits. What Postgres has stored has lost it already.
 */
async function deletionsAhead(
  log: EventSource,
  { room }: WorkshopState,
  { head, page, skips }: { head: Head | null; page: number; skips: Skips },
): Promise<Deletions> {
  const isOneCommit = head === null || (head.version - room.version <= page && skips.size === 0);
  if (isOneCommit) return new Map();
  return deletionsOf(stepsOf(log, room.id, room.version, 1_000), skips);
}

interface Advancing extends AdvanceOptions {
  state: WorkshopState;
  epoch: string;
  deletions: Deletions;
}

async function commit(advancing: Advancing, folded: FoldedPage): Promise<void> {
  switch (folded.kind) {
    case 'rows':
      return write(advancing.writer, folded.changes, folded.to);
    case 'skipped':
      return leaveOut(advancing, folded);
    case 'fault':
      throw new Unfoldable(folded.version, folded.cause);
  }
}

/** `version` is the one at which the workshop is parked where Postgres refuses the rows. */
async function write(writer: FencedWriter, changes: Changes, version: number): Promise<void> {
  try {
    await writer.write(changes);
  } catch (error) {
    throw isRefusal(error) ? new Unfoldable(version, error) : error;
  }
}

/** Where the tables have all events, but know them from an older epoch. */
async function noteEpoch({ writer, state, epoch }: Advancing): Promise<void> {
  const { room } = state;
  if (state.epoch === epoch || room.version === 0) return;
  await write(writer, { ...noChanges(), workshops: [workshopRow(room, epoch)] }, room.version);
}

interface Skipped {
  version: number;
  event: RecordedEvent | undefined;
  skip: Skip;
}

/** Counts the event's version and keeps its row, as it is or as a placeholder, and changes nothing else. */
async function leaveOut(advancing: Advancing, { version, event, skip }: Skipped): Promise<void> {
  const { database, writer, state, epoch, onSkipped } = advancing;
  const { room } = state;
  const writeWith = (events: EventRow[]) =>
    write(writer, { ...noChanges(), workshops: [workshopRow(room, epoch)], events }, version);
  const [before, stored] = await storedAround(database, room.id, version);
  const placeholder = placeholderRow(room.id, { version, at: before?.at ?? room.createdAt, event });
  if (stored !== undefined) await writeWith([]);
  else if (event === undefined) await writeWith([placeholder]);
  else {
    const row = eventRow(room.id, event);
    if (advancing.deletions.has(version)) redactRow(row);
    await writeWith([row]).catch((error: unknown) => {
      if (!(error instanceof Unfoldable)) throw error;
      return writeWith([placeholder]);
    });
  }
  onSkipped(room.id, version, skip.by);
}

/** What is stored of the version before and of the version itself. */
async function storedAround(database: AdvanceOptions['database'], workshopId: number, version: number) {
  const events = await storedEvents(database).each(workshopId, [version - 1, version]);
  return [version - 1, version].map((wanted) => events.find((event) => event.version === wanted));
}

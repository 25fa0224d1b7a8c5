/**
 * What the tables should hold, folded anew from a workshop's events, page by page: a workshop of a million events takes no
 * more memory than its people do. Faults of the log itself are found on the way.
 */
import { isDeletion } from '../../src/domain/erasing.ts';
import type { RecordedEvent } from '../../src/domain/evolve.ts';
import type { AttendeeRow } from '../attendees/schema.ts';
import type { ChatRow } from '../chat/schema.ts';
import type { Database } from '../database.ts';
import { eventRow, placeholderRow, redactRow } from '../events/projection.ts';
import type { EventRow } from '../events/schema.ts';
import type { ProjectedLog } from '../feed.ts';
import { attendeeRows, type Folding, folding, noChanges } from '../fold.ts';
import { keptEvents } from '../kept.ts';
import { type Step, stepsOf } from '../pages.ts';
import { type Skips, skipOf, skipsOf } from '../skipped.ts';
import { emptyState } from '../state.ts';
import { workshopRow } from '../workshops/projection.ts';
import type { WorkshopRow } from '../workshops/schema.ts';

/** Versions after `after` up to `to`, and the rows that belong to them. */
export interface ExpectedPage {
  after: number;
  to: number;
  chat: ChatRow[];
  /** Of an event that was given up any of several rows is right: as it is, or a placeholder. */
  events: EventRow[][];
}

export interface Expected {
  pages: AsyncIterable<ExpectedPage>;
  /** Once the pages were read; undefined where a fault of the log ended them. */
  result(): { version: number; workshop: WorkshopRow; attendees: AttendeeRow[] } | undefined;
}

export interface Told {
  onFault(version: number, problem: string): void;
  onSkipped(version: number, by: string): void;
}

export interface ExpectedOptions extends Told {
  database: Database;
  log: ProjectedLog;
  workshopId: number;
  /** Of the log; null where there is no stream. */
  epoch: string | null;
  /** What follows on it is not asked for. */
  upTo: number;
}

const pageSize = 1_000;

export async function expected(options: ExpectedOptions): Promise<Expected> {
  const { database, workshopId, upTo } = options;
  const skips = await skipsOf(database, workshopId);
  const deletedAt = await deletions(options, skips);
  const state = emptyState(workshopId);
  const { room } = state;
  const epoch = options.epoch ?? '';
  /** Of the row before, as it stands in `workshop_events`. */
  let before = Number.NEGATIVE_INFINITY;
  let isFaulty = false;

  function fault(version: number, problem: string): void {
    options.onFault(version, problem);
    isFaulty = true;
  }

  /** Folds an event, or leaves it out where it was given up: then the rows that are right for it. False after a fault. */
  function take(version: number, event: RecordedEvent | undefined, fold: Folding): EventRow[] | boolean {
    if (version !== room.version + 1) {
      fault(version, `it follows on version ${room.version}`);
      return false;
    }
    const skip = skipOf(skips, event ?? { version });
    if (skip !== undefined) {
      options.onSkipped(version, skip.by);
      const [rows, at] = rowsOfSkipped(room.id, { version, event, at: before }, deletedAt);
      room.version = version;
      before = at;
      return rows;
    }
    try {
      if (event === undefined) throw new Error('its entry cannot be parsed');
      fold.add(event);
    } catch (error) {
      fault(version, `it cannot be folded: ${error instanceof Error ? error.message : String(error)}`);
      return false;
    }
    if (event.at < before) options.onFault(version, 'it is older than the event that it follows on');
    before = event.at;
    return true;
  }

  async function* pages(): AsyncGenerator<ExpectedPage> {
    for await (const step of steps(options)) {
      const after = room.version;
      const fold = folding(state, epoch, new Set(deletedAt.keys()));
      const skippedRows: EventRow[][] = [];
      for (const event of step.kind === 'events' ? step.events : [undefined]) {
        const version = event?.version ?? (step.kind === 'unreadable' ? step.version : 0);
        if (version > upTo) break;
        const taken = take(version, event, fold);
        // What was folded of this page is spoilt; the fault is what there is to tell.
        if (taken === false) return;
        if (taken !== true) skippedRows.push(taken);
      }
      const changes = noChanges();
      fold.addTo(changes);
      for (const row of changes.chat) {
        const gone = deletedAt.get(row.id);
        if (gone !== undefined) Object.assign(row, { message: null, deletedAt: gone });
      }
      const events = [...changes.events.map((row) => [row]), ...skippedRows];
      yield { after, to: room.version, chat: changes.chat, events };
      if (room.version >= upTo) return;
    }
  }

  return {
    pages: pages(),
    result: () =>
      isFaulty
        ? undefined
        : { workshop: workshopRow(room, epoch), attendees: attendeeRows(state), version: room.version },
  };
}

interface Skipped {
  version: number;
  event: RecordedEvent | undefined;
  /** When the event before it was recorded. */
  at: number;
}

/** Either of these rows keeps the place of an event that was given up; and the time that it then stands for. */
function rowsOfSkipped(
  workshopId: number,
  skipped: Skipped,
  deletedAt: ReadonlyMap<number, number>,
): [EventRow[], number] {
  const placeholder = placeholderRow(workshopId, skipped);
  if (skipped.event === undefined) return [[placeholder], placeholder.at];
  const row = eventRow(workshopId, skipped.event);
  if (deletedAt.has(skipped.version)) redactRow(row);
  return [[row, placeholder], placeholder.at];
}

/** The events as they are told; where there is no stream, what Postgres keeps. */
async function* steps({ database, log, workshopId, epoch }: ExpectedOptions): AsyncGenerator<Step> {
  if (epoch !== null) return yield* stepsOf(log, workshopId, 0, pageSize);
  for (let version = 0; ; ) {
    const events = await keptEvents(database, workshopId, version, pageSize);
    const last = events.at(-1);
    if (last === undefined) return;
    yield { kind: 'events', events };
    version = last.version;
  }
}

/** The messages that are deleted by now, and when they were: of several deletions of one the first counts. */
async function deletions(options: ExpectedOptions, skips: Skips): Promise<Map<number, number>> {
  const found = new Map<number, number>();
  for await (const step of steps(options)) {
    if (step.kind === 'unreadable') continue;
    for (const event of step.events) {
      if (event.version > options.upTo) return found;
      if (isDeletion(event) && skipOf(skips, event) === undefined && !found.has(event.data.id))
        found.set(event.data.id, event.at);
    }
  }
  return found;
}

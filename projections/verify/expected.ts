/**
 * What the tables should hold, folded from a workshop's events, page by page: a workshop of a million events takes no more memory
 * than its people do. Faults of the log itself are found on the way.
 */
import type { RecordedEvent } from '../../src/domain/evolve.ts';
import type { AttendeeRow } from '../attendees/schema.ts';
import type { ChatRow } from '../chat/schema.ts';
import type { Database } from '../database/database.ts';
import { eventRow, placeholderRow, redactRow } from '../events/projection.ts';
import type { EventRow } from '../events/schema.ts';
import { attendeeRows } from '../fold/folding.ts';
import { type Deletions, deletionsOf, type Fault, foldedPages, withDeletions } from '../fold/pages.ts';
import { skipsOf } from '../fold/skips.ts';
import { type ProjectedLog, sourceOf, stepsOf } from '../fold/source.ts';
import { emptyState } from '../fold/state.ts';
import { workshopRow } from '../workshops/projection.ts';
import type { WorkshopRow } from '../workshops/schema.ts';

export type ExpectedPage =
  /** Rows of events up to version `to`. Of one that was given up any of several is right: as it is, or a placeholder. */
  | { kind: 'events'; to: number; chat: ChatRow[]; events: EventRow[][] }
  /** The last page, which is missing where a fault of the log ended them. */
  | { kind: 'workshop'; version: number; workshop: WorkshopRow; attendees: AttendeeRow[] };

export interface ExpectedOptions {
  database: Database;
  log: ProjectedLog;
  workshopId: number;
  /** Of the log; null where there is no stream. */
  epoch: string | null;
  /** What follows on it is not asked for. */
  upTo: number;
  onFault(version: number, problem: string): void;
  onSkipped(version: number, by: string): void;
}

const pageSize = 1_000;

export async function* expectedPages(options: ExpectedOptions): AsyncGenerator<ExpectedPage> {
  const { database, log, workshopId, upTo, onFault, onSkipped } = options;
  const source = sourceOf({ database, log }, options.epoch !== null);
  const steps = () => stepsOf(source, workshopId, 0, pageSize);
  const skips = await skipsOf(database, workshopId);
  const deletions = await deletionsOf(steps(), skips, upTo);
  const state = emptyState(workshopId);
  const epoch = options.epoch ?? '';
  /** When the event before was recorded, as its row says. */
  let before = Number.NEGATIVE_INFINITY;
  const onFolded = ({ version, at }: RecordedEvent) => {
    if (at < before) onFault(version, 'it is older than the event that it follows on');
    before = at;
  };
  for await (const page of foldedPages({ state, epoch, steps: steps(), skips, deletions, upTo, onFolded })) {
    if (page.kind === 'fault') return onFault(page.version, problemOf(page));
    if (page.kind === 'rows') {
      const { chat, events } = page.changes;
      const rows = { chat: withDeletions(chat, deletions), events: events.map((row) => [row]) };
      yield { kind: 'events', to: page.to, ...rows };
      continue;
    }
    onSkipped(page.version, page.skip.by);
    const placeholder = placeholderRow(workshopId, { ...page, at: before });
    before = placeholder.at;
    const rows = rowsOfSkipped(placeholder, page.event, deletions);
    yield { kind: 'events', to: page.version, chat: [], events: [rows] };
  }
  const { room } = state;
  const attendees = attendeeRows(state);
  yield { kind: 'workshop', version: room.version, workshop: workshopRow(room, epoch), attendees };
}

/** Either of these keeps the place of an event that was given up. */
function rowsOfSkipped(
  placeholder: EventRow,
  event: RecordedEvent | undefined,
  deletions: Deletions,
): EventRow[] {
  if (event === undefined) return [placeholder];
  const row = eventRow(placeholder.workshopId, event);
  if (deletions.has(event.version)) redactRow(row);
  return [row, placeholder];
}

function problemOf({ what, after, cause }: Fault): string {
  if (what === 'gap') return `it follows on version ${after}`;
  if (what === 'unreadable') return 'it cannot be folded: its entry cannot be parsed';
  return `it cannot be folded: ${cause instanceof Error ? cause.message : String(cause)}`;
}

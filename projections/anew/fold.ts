/** One workshop folded anew, from its first event up to the version that the tables have. */
import { isDeletion } from '../../src/domain/erasing.ts';
import type { RecordedEvent } from '../../src/domain/evolve.ts';
import { EventMissing } from '../../src/log/log.ts';
import type { Database } from '../database.ts';
import { placeholderRow } from '../events/projection.ts';
import type { EventRow } from '../events/schema.ts';
import type { ProjectedLog } from '../feed.ts';
import { attendeeRows, type Changes, folding, noChanges } from '../fold.ts';
import { keptEvents } from '../kept.ts';
import { type Step, stepsOf } from '../pages.ts';
import { Unfoldable } from '../parked.ts';
import { type Skips, skipOf, skipsOf } from '../skipped.ts';
import { emptyState } from '../state.ts';
import { workshopRow } from '../workshops/projection.ts';

/** What the tables have of a workshop. */
export interface Target {
  workshopId: number;
  version: number;
  epoch: string;
}

/** Log and tables are not at the same place: the workshop has to be brought up to the log first. */
export class Moved extends Error {
  override name = 'Moved';
}

export interface AnewOptions {
  database: Database;
  log: ProjectedLog;
  target: Target;
  /** Whether an event of the workshop was given up. */
  hasSkips: boolean;
  /** Events to a page. */
  page: number;
}

/**
 * Rows page by page: those of chat and events with the events that they come from, the others with the last page. Texts that
 * are deleted by the target's version are in none of them. Rows of `workshop_events` come from the log alone: where it has let
 * go of the stream, that table is what is read. Throws `Unfoldable` and `Moved`.
 */
export async function* foldAnew(options: AnewOptions): AsyncGenerator<Changes> {
  const { database, log, target, page } = options;
  const { workshopId, version, epoch } = target;
  const logged = await isLogged(log, target);
  const skips = options.hasSkips ? await skipsOf(database, workshopId) : new Map();
  const deletedAt = version > page ? await deletions(options, logged, skips) : new Map<number, number>();
  const state = emptyState(workshopId);
  const { room } = state;
  let before = 0;
  for await (const step of steps(options, logged)) {
    const fold = folding(state, epoch, new Set(deletedAt.keys()));
    const places: EventRow[] = [];
    for (const event of step.kind === 'events' ? step.events : [undefined]) {
      const at = event?.version ?? (step.kind === 'unreadable' ? step.version : 0);
      if (at > version) break;
      if (at !== room.version + 1) throw notThere(logged, target, room.version + 1);
      if (skipOf(skips, event ?? { version: at }) !== undefined) {
        room.version = at;
        const place = logged ? await placeOf(options, { version: at, at: before, event }) : undefined;
        if (place !== undefined) places.push(place);
        continue;
      }
      try {
        if (event === undefined) throw step.kind === 'unreadable' ? step.error : new Error('no event');
        fold.add(event);
        before = event.at;
      } catch (error) {
        throw new Unfoldable(at, error);
      }
    }
    const changes = noChanges();
    fold.addTo(changes);
    for (const row of changes.chat) {
      const gone = deletedAt.get(row.id);
      if (gone !== undefined) Object.assign(row, { message: null, deletedAt: gone });
    }
    const events = logged ? [...changes.events, ...places] : [];
    if (places.length > 0) events.sort((one, other) => one.version - other.version);
    yield { ...noChanges(), chat: changes.chat, events };
    if (room.version >= version) break;
  }
  if (room.version !== version) throw notThere(logged, target, room.version + 1);
  // The same history from the first page to the last.
  if ((await isLogged(log, target)) !== logged) throw new Moved(`workshop ${workshopId} lost its stream`);
  yield { ...noChanges(), workshops: [workshopRow(room, epoch)], attendees: attendeeRows(state) };
}

/** The log is read again; what the tables keep of a workshop without a stream stays as it is. */
function notThere(logged: boolean, { workshopId }: Target, version: number): Error {
  return logged
    ? new Moved(`workshop ${workshopId}: the log has no event ${version}`)
    : new Unfoldable(version, new EventMissing(workshopId, version));
}

async function isLogged(log: ProjectedLog, { workshopId, version, epoch }: Target): Promise<boolean> {
  const head = await log.head(workshopId);
  if (head === null || head.version === 0) return false;
  if (head.epoch !== epoch || head.version < version)
    throw new Moved(`workshop ${workshopId}: another epoch`);
  return true;
}

async function* steps({ database, log, target, page }: AnewOptions, logged: boolean): AsyncGenerator<Step> {
  if (logged) return yield* stepsOf(log, target.workshopId, 0, page);
  for (let version = 0; ; ) {
    const events = await keptEvents(database, target.workshopId, version, page);
    const last = events.at(-1);
    if (last === undefined) return;
    yield { kind: 'events', events };
    version = last.version;
  }
}

/** Which messages are deleted by now, and when they were: the first deletion counts. */
async function deletions(options: AnewOptions, logged: boolean, skips: Skips): Promise<Map<number, number>> {
  const found = new Map<number, number>();
  for await (const step of steps(options, logged)) {
    if (step.kind === 'unreadable') continue;
    for (const event of step.events) {
      if (event.version > options.target.version) return found;
      if (isDeletion(event) && skipOf(skips, event) === undefined && !found.has(event.data.id))
        found.set(event.data.id, event.at);
    }
  }
  return found;
}

interface Skipped {
  version: number;
  at: number;
  event: RecordedEvent | undefined;
}

/** What keeps the place of an event that was given up stays as it is; a row for it where there is none. */
async function placeOf({ database, target }: AnewOptions, skipped: Skipped): Promise<EventRow | undefined> {
  const [kept] = await keptEvents(database, target.workshopId, skipped.version - 1, 1);
  return kept?.version === skipped.version ? undefined : placeholderRow(target.workshopId, skipped);
}

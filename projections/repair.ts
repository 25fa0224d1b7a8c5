/**
 * The slow and certain way to bring one workshop's tables up to the log: from the tables, against the log, page by page.
 * Taken wherever the feed is not enough: a gap, an event that was refused, a workshop that was parked, a log that lost
 * events. It may be repeated at any point.
 */
import { isDeletion } from '../src/domain/erasing.ts';
import type { RecordedEvent } from '../src/domain/evolve.ts';
import { type Head, readAll } from '../src/log/log.ts';
import { isArchived } from './archive/archives.ts';
import { projectionName } from './bookkeeping.ts';
import { type Database, isRefusal } from './database.ts';
import { eventRow, placeholderRow, redactRow } from './events/projection.ts';
import type { EventRow } from './events/schema.ts';
import type { Archives, ProjectedLog } from './feed.ts';
import { Fenced, type Fencing } from './fencing.ts';
import { type Folding, folding, noChanges } from './fold.ts';
import { keptEvents, lastCommon, lastKept } from './kept.ts';
import { isInLog, type Step, stepsOf } from './pages.ts';
import { Unfoldable } from './parked.ts';
import { backoffMs, pause, retrying } from './retry.ts';
import { type Skip, type Skips, skipOf, skipsOf } from './skipped.ts';
import { loadStates, type WorkshopState } from './state.ts';
import { workshopRow } from './workshops/projection.ts';

export interface RepairOptions {
  database: Database;
  log: ProjectedLog;
  partition: number;
  /** Whether the log lets go of what is archived. */
  archives: Archives;
  batchSize: number;
  own: Fencing;
  signal: AbortSignal;
  onError(error: unknown): void;
  /** The log has other events after `version` than the tables had; those were put aside. */
  onDiverged(workshopId: number, version: number): void;
  onParked(workshopId: number, unfoldable: Unfoldable): void;
  /** An event that was given up is left out. */
  onSkipped(workshopId: number, version: number, by: string): void;
}

export interface Repair {
  /** False where the workshop is parked now. Throws `Fenced`. */
  catchUp(workshopId: number): Promise<boolean>;
  /** Puts the workshop aside: its projection waits from now on. Throws `Fenced`. */
  park(workshopId: number, unfoldable: Unfoldable): Promise<void>;
}

/** An event that can't be folded is tried again this often. */
const retries = 3;

export function repair(options: RepairOptions): Repair {
  const { database, log, partition, archives, batchSize, own, signal, onError } = options;

  async function catchUp(workshopId: number): Promise<boolean> {
    const advanceBy = (page: number, most: number) =>
      retrying(() => advance(workshopId, page, most), { signal, onError, isFinal });
    for (let failures = 0; ; ) {
      try {
        // One by one after a failure: what precedes the event is folded, and the event is known.
        if (failures > 0) await advanceBy(1, batchSize);
        failures = 0;
        await advanceBy(batchSize, Number.POSITIVE_INFINITY);
        await unpark(workshopId);
        return true;
      } catch (error) {
        if (!(error instanceof Unfoldable)) throw error;
        failures++;
        if (failures > retries) {
          await park(workshopId, error, failures);
          return false;
        }
        await pause(backoffMs(failures), signal);
      }
    }
  }

  /** Folds what the tables lack, `page` events to a commit and `most` of them at most. */
  async function advance(workshopId: number, page: number, most: number): Promise<void> {
    const head = await log.head(workshopId);
    const kept = await lastKept(database, workshopId);
    // Without a stream there is nothing to compare: the workshop is archived, and what Postgres has is what there is.
    if (head !== null && kept !== undefined && !(await isInLog(log, workshopId, kept))) {
      const common = await lastCommon(database, log, workshopId, Math.min(kept.version, head.version));
      const now = await log.head(workshopId);
      // Half of one history and half of another, or of none, must not be taken for what the log has.
      if (now?.epoch !== head.epoch) throw new Error(`workshop ${workshopId} changed while it was compared`);
      if (archives === 'removed' && (await isArchived(database, workshopId)))
        return dropStale(workshopId, head, common);
      await takeBack(workshopId, common);
      options.onDiverged(workshopId, common);
    }
    const state = (await loadStates(database, [workshopId])).get(workshopId);
    if (state === undefined) return;
    const skips = await skipsOf(database, workshopId);
    const epoch = head?.epoch ?? state.epoch;
    const { version } = state.room;
    const isLong = head !== null && head.version - version > page;
    const deleted = isLong ? await deletedAfter(workshopId, version, skips) : new Set<number>();
    let left = most;
    for await (const step of sources(workshopId, version, page, head !== null)) {
      await take(step, { state, epoch, skips, deleted });
      left -= step.kind === 'events' ? step.events.length : 1;
      if (left <= 0) return;
    }
    // The stream went away while it was read, or lost its end: what is there now is looked at anew.
    if (head !== null && state.room.version < head.version)
      throw new Error(`workshop ${workshopId} ended at version ${state.room.version} of ${head.version}`);
    if (state.epoch !== epoch && state.room.version > 0) await foldPage(folding(state, epoch), state, []);
  }

  /**
   * The log has a stream of a workshop that had left it, and the tables have more: it was put back from an old backup. What is
   * archived is kept for good.
   */
  async function dropStale(workshopId: number, { version, epoch }: Head, common: number): Promise<void> {
    const skips = await skipsOf(database, workshopId);
    let eventId = '';
    for await (const page of readAll(log, workshopId, Math.min(common, version - 1)))
      for (const event of page) {
        eventId = event.eventId;
        // Timers go off by themselves in a room that is old; what people did in it is an operator's to give up.
        const mayGo = event.version <= common || event.by === 'system' || skipOf(skips, event) !== undefined;
        if (!mayGo)
          throw new Unfoldable(event.version, new Error('it follows on a backup of what is archived'));
      }
    if (common < version) options.onDiverged(workshopId, common);
    if (!(await log.remove(workshopId, { version, epoch, eventId })))
      throw new Error(`workshop ${workshopId} went on while its old stream was looked at`);
  }

  interface Advancing {
    state: WorkshopState;
    epoch: string;
    skips: Skips;
    deleted: ReadonlySet<number>;
  }

  async function take(step: Step, advancing: Advancing): Promise<void> {
    const { state, epoch, skips, deleted } = advancing;
    if (step.kind === 'unreadable') {
      const skip = skipOf(skips, { version: step.version });
      if (skip === undefined) throw new Unfoldable(step.version, step.error);
      return leaveOut({ version: step.version, event: undefined, skip }, advancing);
    }
    let run: RecordedEvent[] = [];
    for (const event of step.events) {
      const skip = skipOf(skips, event);
      if (skip === undefined) {
        run.push(event);
        continue;
      }
      if (run.length > 0) await foldPage(folding(state, epoch, deleted), state, run);
      run = [];
      await leaveOut({ version: event.version, event, skip }, advancing);
    }
    if (run.length > 0) await foldPage(folding(state, epoch, deleted), state, run);
  }

  async function foldPage(fold: Folding, state: WorkshopState, events: RecordedEvent[]): Promise<void> {
    const changes = noChanges();
    for (const event of events) attempting(event.version, () => fold.add(event));
    const last = state.room.version;
    attempting(last, () => fold.addTo(changes));
    await own.write(changes).catch((error) => {
      throw isRefusal(error) ? new Unfoldable(last, error) : error;
    });
  }

  /** Counts the event's version and keeps its row, as it is or as a placeholder, and changes nothing else. */
  async function leaveOut(
    { version, event, skip }: { version: number; event: RecordedEvent | undefined; skip: Skip },
    { state, epoch, deleted }: Advancing,
  ): Promise<void> {
    const { room } = state;
    room.version = version;
    state.epoch = epoch;
    const writeWith = (rows: EventRow[]) =>
      own.write({ ...noChanges(), workshops: [workshopRow(room, epoch)], events: rows });
    const [before, kept] = await keptAround(room.id, version);
    const placeholder = placeholderRow(room.id, { version, at: before?.at ?? room.createdAt, event });
    try {
      if (kept !== undefined) await writeWith([]);
      else if (event === undefined) await writeWith([placeholder]);
      else {
        const row = eventRow(room.id, event);
        if (deleted.has(version)) redactRow(row);
        await writeWith([row]).catch((error) => {
          if (!isRefusal(error)) throw error;
          return writeWith([placeholder]);
        });
      }
    } catch (error) {
      throw isRefusal(error) ? new Unfoldable(version, error) : error;
    }
    options.onSkipped(room.id, version, skip.by);
  }

  /** What `workshop_events` has of the version before and of the version itself. */
  async function keptAround(workshopId: number, version: number) {
    const rows = await keptEvents(database, workshopId, version - 2, 2);
    return [version - 1, version].map((wanted) => rows.find((row) => row.version === wanted));
  }

  /** The log; where it has let go of the stream, what Postgres keeps. */
  async function* sources(
    workshopId: number,
    after: number,
    page: number,
    logged: boolean,
  ): AsyncGenerator<Step> {
    if (logged) return yield* stepsOf(log, workshopId, after, page);
    for (let version = after; ; ) {
      const events = await keptEvents(database, workshopId, version, page);
      const last = events.at(-1);
      if (last === undefined) return;
      yield { kind: 'events', events };
      version = last.version;
    }
  }

  /**
   * Messages that are deleted by now. They lose their text as they are folded: what was deleted must not come back for the
   * time between two pages.
   */
  async function deletedAfter(workshopId: number, version: number, skips: Skips): Promise<Set<number>> {
    const deleted = new Set<number>();
    for await (const step of stepsOf(log, workshopId, version, 1_000)) {
      if (step.kind === 'unreadable') continue;
      for (const event of step.events)
        if (isDeletion(event) && skipOf(skips, event) === undefined) deleted.add(event.data.id);
    }
    return deleted;
  }

  /**
   * Puts events after `common` aside and the workshop's rows back to nothing, to be folded anew. A trigger of the table keeps
   * what is deleted from `workshop_events` in `workshop_events_lost`.
   */
  async function takeBack(workshopId: number, common: number): Promise<void> {
    await own.fenced(
      `lost as (
         delete from workshop_events e using mine where e.workshop_id = $1::bigint and e.version > $2::bigint
       ), people as (
         delete from workshop_attendees a using mine where a.workshop_id = $1::bigint
       ), messages as (
         delete from workshop_chat_messages m using mine where m.workshop_id = $1::bigint
       ), rooms as (
         delete from workshop_snapshots s using mine where s.workshop_id = $1::bigint and s.version > $2::bigint
       ), reset as (
         update workshops w set version = 0 from mine where w.id = $1::bigint
       )`,
      [workshopId, common],
    );
  }

  async function park(workshopId: number, unfoldable: Unfoldable, attempts: number): Promise<void> {
    await own.fenced(
      `parking as (
         insert into projection_parked
           (workshop_id, projection, partition, version, reason, attempts, parked_at, retry_requested)
         select $1::bigint, '${projectionName}', partition, $2::bigint, $3::text, $4::integer, now(), false from mine
         on conflict (workshop_id) do update set version = excluded.version, reason = excluded.reason,
           attempts = projection_parked.attempts + excluded.attempts, parked_at = excluded.parked_at,
           retry_requested = false
       )`,
      [workshopId, unfoldable.version, unfoldable.message, attempts],
    );
    options.onParked(workshopId, unfoldable);
  }

  async function unpark(workshopId: number): Promise<void> {
    await retrying(
      () =>
        database.query(
          'delete from projection_parked where workshop_id = $1::bigint and partition = $2::integer',
          [workshopId, partition],
        ),
      { signal, onError },
    );
  }

  return { catchUp, park: (workshopId, unfoldable) => park(workshopId, unfoldable, 1) };
}

const isFinal = (error: unknown) => error instanceof Unfoldable || error instanceof Fenced;

function attempting(version: number, run: () => void): void {
  try {
    run();
  } catch (error) {
    throw new Unfoldable(version, error);
  }
}

/**
 * The rooms that commands are decided on. They need not be the newest – an append on an old one conflicts – but before
 * something is refused they are brought up to date.
 */
import { evolveAll, type RecordedEvent } from '../domain/evolve.ts';
import { emptyRoom, isOver } from '../domain/room.ts';
import { type EventLog, type FeedEntry, type Head, isPart, readAll } from '../log/log.ts';
import type { Cell } from './cell.ts';

export interface RoomCache {
  cell(workshopId: number): Cell;
  /** The cell with everything that was in the log when this was called. */
  fresh(workshopId: number): Promise<Cell>;
  /** Reads the workshop from the log if this node has not yet done so; one that is about to be made is not looked for elsewhere. */
  load(cell: Cell, isNew?: boolean): Promise<void>;
  /** Puts a workshop that was read from elsewhere back into the log, so that something can follow on it. */
  putBack(cell: Cell): Promise<void>;
  /**
   * Applies what the log said is missing, reads what it did not bring along, and starts anew after a lost tail: where the log
   * ends before `known`, the version that the room had when the log was asked.
   */
  catchUp(cell: Cell, known: number, head: Head, missing: readonly RecordedEvent[]): Promise<void>;
  follow(entry: FeedEntry): void;
  distrust(partition: number): void;
}

/** Where events are kept beside the log: all of a workshop, or what had arrived when its stream went. */
export type Archive = Pick<EventLog, 'read'>;

/** Rooms kept at most; idle ones go first. An attendee of a kept room costs about 300 bytes. */
const maxCells = 2_000;

export function roomCache(log: EventLog, archive: Archive | undefined): RoomCache {
  const cells = new Map<number, Cell>();
  const loading = new Map<Cell, Promise<void>>();

  function cell(workshopId: number): Cell {
    const found = cells.get(workshopId);
    const kept = found ?? {
      id: workshopId,
      room: emptyRoom(workshopId),
      epoch: '',
      freshAsOf: -1,
      loaded: false,
      kept: false,
      pending: [],
      working: null,
    };
    // Put at the end: the map is in the order of last use.
    cells.delete(workshopId);
    cells.set(workshopId, kept);
    if (cells.size > maxCells) evict();
    return kept;
  }

  function evict(): void {
    for (const [id, old] of cells) {
      if (cells.size <= maxCells) return;
      if (old.working === null && old.pending.length === 0) cells.delete(id);
    }
  }

  /** Its events were written anew, under the given epoch: what it was folded from is not there any more. */
  function forget(target: Cell, epoch: string): void {
    if (target.epoch === epoch && !target.kept) return;
    target.loaded = false;
    if (target.working === null && target.pending.length === 0) cells.delete(target.id);
  }

  async function read(target: Cell, isNew: boolean): Promise<void> {
    const asOf = performance.now();
    const head = await log.head(target.id);
    if (head === null && archive !== undefined && !isNew && (await readKept(target, archive))) return;
    const room = emptyRoom(target.id);
    if (head !== null) for await (const page of readAll(log, target.id)) evolveAll(room, page);
    Object.assign(target, { room, epoch: head?.epoch ?? '', loaded: true, kept: false, freshAsOf: asOf });
  }

  /**
   * A workshop without a stream: one that is over is read where it is kept, any other is put back first. False where nothing
   * of it is kept.
   */
  async function readKept(target: Cell, from: Archive): Promise<boolean> {
    const asOf = performance.now();
    const room = emptyRoom(target.id);
    for await (const page of readAll(from, target.id)) evolveAll(room, page);
    if (room.version === 0) return false;
    if (isOver(room) || !(await isBack(target.id, from)))
      Object.assign(target, { room, epoch: '', loaded: true, kept: true, freshAsOf: asOf });
    else await read(target, true);
    return true;
  }

  /** Whether the log has it (again). It refuses one that is older than what it removed. */
  async function isBack(workshopId: number, from: Archive): Promise<boolean> {
    return (await log.refill(workshopId, readAll(from, workshopId))) || (await log.head(workshopId)) !== null;
  }

  /** One reading at a time, shared by whoever asks meanwhile. */
  function load(target: Cell, isNew = false): Promise<void> {
    if (target.loaded) return Promise.resolve();
    const under = loading.get(target) ?? read(target, isNew).finally(() => loading.delete(target));
    loading.set(target, under);
    return under;
  }

  async function catchUp(
    target: Cell,
    known: number,
    head: Head,
    missing: readonly RecordedEvent[],
  ): Promise<void> {
    const before = target.room;
    if (target.kept && head.version === 0) return;
    const other = target.epoch !== '' && head.epoch !== target.epoch;
    if (target.kept || head.version < known || (other && !(await isStillPart(target, known)))) {
      // Events were lost. Who resumes with what is not there any more has to be told.
      if (!other && target.epoch !== '' && head.version > 0) await log.newEpoch(target.id, target.epoch);
      target.loaded = false;
      return load(target);
    }
    target.epoch = head.epoch;
    const [first] = missing;
    if (first !== undefined && first.version <= before.version + 1) evolveAll(before, missing);
    while (before.version < head.version) {
      const events = await log.read(target.id, before.version, 1_000);
      if (events.length === 0) return;
      evolveAll(before, events);
    }
  }

  /** Whether another epoch began without the loss of anything that the room holds. */
  async function isStillPart(target: Cell, known: number): Promise<boolean> {
    const head = await log.head(target.id);
    return head !== null && isPart(head, target.epoch, Math.max(known, target.room.version));
  }

  return {
    cell,
    load,
    catchUp,
    async putBack(target) {
      if (archive !== undefined && !(await isBack(target.id, archive)))
        throw new Error(`workshop ${target.id} cannot be put back: the log has had more of it than is kept`);
      target.loaded = false;
      await load(target);
    },
    async fresh(workshopId) {
      const target = cell(workshopId);
      const asOf = performance.now();
      await load(target);
      if (target.freshAsOf < asOf) {
        const known = target.room.version;
        const found = await log.check(workshopId, known, 'system', null);
        await catchUp(target, known, found, found.missing);
        target.freshAsOf = Math.max(target.freshAsOf, asOf);
      }
      return target;
    },
    distrust(partition) {
      for (const target of cells.values())
        if (log.partitionOf(target.id) === partition) target.loaded = false;
    },
    follow(entry) {
      const target = cells.get(entry.workshopId);
      if (target === undefined) return;
      // Written anew, or a stream where there was none.
      const isAnew = entry.to < entry.from || (target.loaded && target.epoch === '');
      if (isAnew) return forget(target, entry.epoch);
      if (!target.loaded || target.epoch !== entry.epoch) return;
      const { version } = target.room;
      if (entry.from > version + 1 || entry.to <= version) return;
      try {
        evolveAll(target.room, entry.events());
      } catch {
        // What is wrong with it comes out where it is asked for; the other rooms of the feed go on.
        target.loaded = false;
      }
    },
  };
}

/** Reading rooms from the log, or from where workshops are kept that left it, and bringing them up to what the log has. */
import { evolveAll, type RecordedEvent } from '../domain/evolve.ts';
import { emptyRoom, isOver } from '../domain/room.ts';
import { type EventLog, type Head, isPart, readAll, type WorkshopEvents } from '../log/log.ts';
import type { CachedRoom } from './rooms.ts';
import { beginning, foldedRoom, keepSnapshot, worthKeeping } from './snapshots.ts';

export interface Freshness {
  /** Resolves once the room has everything that was in the log when this was called. */
  refresh(cached: CachedRoom): Promise<void>;
  /** Reads the workshop from the log if this node has not yet done so; one that is about to be made is not looked for elsewhere. */
  load(cached: CachedRoom, isNew?: boolean): Promise<void>;
  /** Puts a workshop that was read from elsewhere back into the log, so that something can follow on it. */
  putBack(cached: CachedRoom): Promise<void>;
  /**
   * Applies what the log said is missing, reads what it did not bring along, and starts anew after a lost tail: where the log
   * ends before `seen`, the version that the room had when the log was asked.
   */
  catchUp(cached: CachedRoom, seen: number, head: Head, missing: readonly RecordedEvent[]): Promise<void>;
  /** Applies what this node appended itself: the log's answer says where the events stand. At once, where nothing lies between. */
  apply(cached: CachedRoom, place: OwnPlace, events: readonly RecordedEvent[]): Promise<void> | undefined;
}

/** Where an append of this node stands, and what lies between it and the version that it was decided on. */
export interface OwnPlace {
  from: number;
  epoch: string;
  missing: readonly RecordedEvent[];
}

/** Where events are kept beside the log: all of a workshop, or what had arrived when its stream went. */
export type Archive = Pick<WorkshopEvents, 'read'>;

export interface Sources {
  log: EventLog;
  archive: Archive | undefined;
  /** Keeps a room in use for as long as it is being read, whoever gave up waiting for it; answers with what lets go of it. */
  hold(cached: CachedRoom): () => void;
  /** A snapshot could not be kept. */
  failed(error: unknown): void;
}

interface Reading extends Sources {
  readonly loading: Map<CachedRoom, Promise<void>>;
}

export function freshness(sources: Sources): Freshness {
  const reading: Reading = { ...sources, loading: new Map() };
  return {
    refresh: (cached) => refresh(reading, cached),
    load: (cached, isNew) => load(reading, cached, isNew),
    putBack: (cached) => putBack(reading, cached),
    catchUp: (cached, seen, head, missing) => catchUp(reading, cached, { seen, head, missing }),
    apply: (cached, place, events) => apply(reading, cached, place, events),
  };
}

async function refresh(reading: Reading, cached: CachedRoom): Promise<void> {
  const asOf = performance.now();
  await load(reading, cached);
  if (cached.freshAsOf >= asOf) return;
  const seen = cached.room.version;
  const head = await reading.log.commands.check(cached.id, seen, 'system', null);
  await catchUp(reading, cached, { seen, head, missing: head.missing });
  cached.freshAsOf = Math.max(cached.freshAsOf, asOf);
}

/** One reading at a time, shared by whoever asks meanwhile. */
function load(reading: Reading, cached: CachedRoom, isNew = false): Promise<void> {
  if (cached.loaded) return Promise.resolve();
  const { loading, hold } = reading;
  const underWay = loading.get(cached);
  if (underWay !== undefined) return underWay;
  const letGo = hold(cached);
  const begun = read(reading, cached, isNew).finally(() => {
    loading.delete(cached);
    letGo();
  });
  loading.set(cached, begun);
  return begun;
}

async function read(reading: Reading, cached: CachedRoom, isNew: boolean): Promise<void> {
  const { log, archive, failed } = reading;
  const { id } = cached;
  const asOf = performance.now();
  const { head, kept } = await beginning(log, id);
  if (head === null && archive !== undefined && !isNew && (await readKept(reading, cached, archive))) return;
  const { room, from } = head === null ? { room: emptyRoom(id), from: 0 } : await foldedRoom(log, id, kept);
  const epoch = head?.epoch ?? '';
  Object.assign(cached, { room, epoch, loaded: true, kept: false, freshAsOf: asOf, snapshotAt: from });
  if (room.version - from < worthKeeping) return;
  // Whoever reads it next, on any node, need not read as much.
  cached.snapshotAt = room.version;
  keepSnapshot(log, room, epoch).catch(failed);
}

/**
 * A workshop without a stream: one that is over is read where it is kept, any other is put back first. False where nothing
 * of it is kept.
 */
async function readKept(reading: Reading, cached: CachedRoom, from: Archive): Promise<boolean> {
  const asOf = performance.now();
  const room = emptyRoom(cached.id);
  for await (const page of readAll(from, cached.id)) evolveAll(room, page);
  if (room.version === 0) return false;
  if (isOver(room) || !(await isBack(reading, cached.id, from)))
    Object.assign(cached, { room, epoch: '', loaded: true, kept: true, freshAsOf: asOf });
  else await read(reading, cached, true);
  return true;
}

/** Whether the log has it (again). It refuses one that is older than what it removed. */
async function isBack({ log }: Reading, workshopId: number, from: Archive): Promise<boolean> {
  return (
    (await log.streams.refill(workshopId, readAll(from, workshopId))) ||
    (await log.events.head(workshopId)) !== null
  );
}

async function putBack(reading: Reading, cached: CachedRoom): Promise<void> {
  const { archive } = reading;
  if (archive !== undefined && !(await isBack(reading, cached.id, archive)))
    throw new Error(`workshop ${cached.id} cannot be put back: the log has had more of it than is kept`);
  cached.loaded = false;
  await load(reading, cached);
}

interface News {
  seen: number;
  head: Head;
  missing: readonly RecordedEvent[];
}

async function catchUp(reading: Reading, cached: CachedRoom, { seen, head, missing }: News): Promise<void> {
  const { log } = reading;
  const before = cached.room;
  if (cached.kept && head.version === 0) return;
  const other = cached.epoch !== '' && head.epoch !== cached.epoch;
  if (cached.kept || head.version < seen || (other && !(await isStillPart(reading, cached, seen)))) {
    // Events were lost. Who resumes with what is not there any more has to be told.
    if (!other && cached.epoch !== '' && head.version > 0) await log.events.newEpoch(cached.id, cached.epoch);
    cached.loaded = false;
    return load(reading, cached);
  }
  cached.epoch = head.epoch;
  const [first] = missing;
  if (first !== undefined && first.version <= before.version + 1) evolveAll(before, missing);
  while (before.version < head.version) {
    const events = await log.events.read(cached.id, before.version, 1_000);
    if (events.length === 0) return;
    evolveAll(before, events);
  }
}

/** Whether another epoch began without the loss of anything that the room holds. */
async function isStillPart({ log }: Reading, cached: CachedRoom, seen: number): Promise<boolean> {
  const head = await log.events.head(cached.id);
  return head !== null && isPart(head, cached.epoch, Math.max(seen, cached.room.version));
}

function apply(
  reading: Reading,
  cached: CachedRoom,
  place: OwnPlace,
  events: readonly RecordedEvent[],
): Promise<void> | undefined {
  const { room } = cached;
  const { from, epoch, missing } = place;
  if (epoch !== cached.epoch || missing.length > 0 || room.version !== from - 1)
    return applyLate(reading, cached, place, events);
  evolveOwn(cached, events);
  return undefined;
}

/** Where something lies between the append and what the room was when it was decided. */
async function applyLate(
  reading: Reading,
  cached: CachedRoom,
  { from, epoch, missing }: OwnPlace,
  events: readonly RecordedEvent[],
): Promise<void> {
  const { room } = cached;
  const seen = from - 1;
  try {
    await catchUp(reading, cached, { seen, head: { version: seen, epoch }, missing });
  } catch (error) {
    // The append stands; a room that could not follow it is read again.
    cached.loaded = false;
    throw error;
  }
  if (cached.room === room) evolveOwn(cached, events);
}

function evolveOwn(cached: CachedRoom, events: readonly RecordedEvent[]): void {
  try {
    evolveAll(cached.room, events);
  } catch (error) {
    cached.loaded = false;
    throw error;
  }
}

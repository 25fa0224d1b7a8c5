/**
 * Filling the tables of a rebuild: workshops are folded many at a time, and written in chunks of whole workshops.
 *
 * ```
 *   target ──► folded ──► short: gathered until there are rows for a chunk ──► written, while the next ones are folded
 *     ▲          │   └──► long: page by page into a chunk of its own
 *     └─ moved ──┴──────► can't be folded: parked
 * ```
 */
import { retrying } from '../../src/timing/retry.ts';
import type { Changes } from '../fold/folding.ts';
import { Unfoldable } from '../parked/parked.ts';
import { joined, rowCount } from './chunk.ts';
import type { RebuildParts, Run } from './run.ts';
import { Moved, rebuiltRows, type Target, targetsOf } from './workshop.ts';
import { type Folded, longVersion, type Short, writeMany, writeOne } from './write.ts';

export interface Filling {
  /** Whether it is the first time that the run comes to these workshops: where it is moves with them. */
  isFirst: boolean;
  /** Told how many there were so far. */
  onDone?(count: number): Promise<void>;
}

/** Workshops that are read at a time: of a short one most of the time goes into waiting. */
const atOnce = 16;
/** How often a workshop that the log and the tables disagree on is brought up to the log and folded again. */
const attempts = 5;
const reportMs = 500;

/** The ids come in order. */
export async function fillAll(
  parts: RebuildParts,
  run: Run,
  workshopIds: readonly number[],
  { isFirst, onDone = async () => {} }: Filling,
): Promise<void> {
  const gathered = gathering(parts, run, isFirst);
  let reportedAt = performance.now();
  for (let from = 0; from < workshopIds.length; from += atOnce) {
    parts.signal.throwIfAborted();
    const ids = workshopIds.slice(from, from + atOnce);
    const targets = await retrying(() => targetsOf(parts.database, ids), parts);
    const folded = await Promise.all(ids.map((id) => fold(parts, id, targets.get(id))));
    for (const [index, id] of ids.entries()) await gathered.add(id, folded[index]);
    await gathered.writeIfFull();
    if (performance.now() - reportedAt < reportMs) continue;
    reportedAt = performance.now();
    await onDone(from + ids.length);
  }
  await gathered.end();
  await onDone(workshopIds.length);
}

/**
 * A chunk of this workshop alone, while the tables of the partition stand still. Undefined where they have nothing of it or it is
 * parked now.
 */
export async function fillOne(
  parts: RebuildParts,
  run: Run,
  workshopId: number,
): Promise<{ id: number; version: number } | undefined> {
  const still: RebuildParts = { ...parts, exclusively: (work) => work() };
  const targets = await retrying(() => targetsOf(parts.database, [workshopId]), parts);
  const folded = await fold(still, workshopId, targets.get(workshopId));
  if (folded === undefined) return undefined;
  const id = await writeOne(still, run, folded, null);
  return id === undefined ? undefined : { id, version: folded.target.version };
}

interface Gathering {
  add(workshopId: number, folded: Folded | undefined): Promise<void>;
  writeIfFull(): Promise<void>;
  /** Resolves once everything is written. */
  end(): Promise<void>;
}

/** Short workshops that will go into one chunk. One chunk is written while the next one is gathered. */
function gathering(parts: RebuildParts, run: Run, isFirst: boolean): Gathering {
  let batch: Short[] = [];
  let rows = 0;
  let last: number | null = null;
  let writing: Promise<void> = Promise.resolve();

  async function write(): Promise<void> {
    await writing;
    const full = batch;
    batch = [];
    rows = 0;
    if (full.length > 0) writing = writeMany(parts, run, full, isFirst ? last : null);
    // Whoever waits for it next sees the failure.
    writing.catch(() => undefined);
  }

  async function end(): Promise<void> {
    await write();
    await writing;
  }

  return {
    async add(workshopId, folded) {
      if (folded?.kind === 'long') {
        // Chunks are done in the order of ids.
        await end();
        await writeLong(parts, run, folded.target, isFirst ? workshopId : null);
      } else if (folded !== undefined) {
        batch.push(folded);
        rows += rowCount(folded.rows);
      }
      last = workshopId;
    },
    async writeIfFull() {
      if (rows >= parts.chunkRows) await write();
    },
    end,
  };
}

async function writeLong(parts: RebuildParts, run: Run, known: Target, upTo: number | null): Promise<void> {
  let target: Target | undefined = known;
  for (let attempt = 1; target !== undefined; attempt++) {
    try {
      await writeOne(parts, run, { kind: 'long', target }, upTo);
      return;
    } catch (error) {
      if (!(error instanceof Moved) || attempt === attempts) throw error;
      target = await broughtUp(parts, known.workshopId);
    }
  }
}

/** Undefined where the tables have nothing of it, or it is parked now. */
async function fold(
  parts: RebuildParts,
  workshopId: number,
  known: Target | undefined,
): Promise<Folded | undefined> {
  let target = known;
  for (let attempt = 1; ; attempt++) {
    target ??= await broughtUp(parts, workshopId);
    if (target === undefined) return undefined;
    if (target.version > longVersion(parts)) return { kind: 'long', target };
    try {
      return { kind: 'short', target, rows: await allRows(parts, target) };
    } catch (error) {
      if (error instanceof Unfoldable) {
        await parts.exclusively(() => parts.park(workshopId, error));
        return undefined;
      }
      if (!(error instanceof Moved) || attempt === attempts) throw error;
      target = undefined;
    }
  }
}

async function allRows(parts: RebuildParts, target: Target): Promise<Changes> {
  const { database, log } = parts;
  const pages: Changes[] = [];
  for await (const page of rebuiltRows({ database, log, target, page: longVersion(parts) })) pages.push(page);
  return joined(pages);
}

/** Brings the tables up to the log, where they have nothing or are at another epoch. */
async function broughtUp(parts: RebuildParts, workshopId: number): Promise<Target | undefined> {
  await parts.exclusively(() => parts.catchUp(workshopId));
  const targets = await retrying(() => targetsOf(parts.database, [workshopId]), parts);
  return targets.get(workshopId);
}

/** Folding workshops anew into chunks: short ones many at a time, a long one page by page into a chunk of its own. */
import { isRefusal } from '../database.ts';
import { type Changes, noChanges } from '../fold.ts';
import { Unfoldable } from '../parked.ts';
import { retrying } from '../retry.ts';
import { allSkipped } from '../skipped.ts';
import { beginChunk, rowCount, together } from './chunk.ts';
import { foldAnew, Moved, type Target } from './fold.ts';
import { CalledOff, type RebuildParts, type Run } from './rebuilding.ts';
import { targetsOf } from './targets.ts';

export interface Filling {
  /** In the order of ids. `isFirst`: the place of the rebuild moves with them. `onDone` is told how many there were so far. */
  all(
    workshopIds: readonly number[],
    options: { isFirst: boolean; onDone?(count: number): Promise<void> },
  ): Promise<void>;
  /** Within `alone`. Undefined where the tables have nothing of it or it is parked now. */
  one(workshopId: number): Promise<{ id: number; version: number } | undefined>;
}

/** Workshops that are read at a time: of a short one most of the time goes into waiting. */
const atOnce = 16;
/** How often a workshop that the log and the tables disagree on is brought up to the log and folded again. */
const attempts = 5;
const toldMs = 500;

/** Runs something while the tables of the partition stand still, which they may do already. */
type Alone = RebuildParts['alone'];

interface Folded {
  target: Target;
  /** Undefined where it is long. */
  rows: Changes | undefined;
}

export function filling(parts: RebuildParts, run: Run): Filling {
  const { database, log, partition, park, chunkRows, signal, onError } = parts;
  /** A workshop of more events is long. So many are read at a time, and most events give two rows. */
  const longVersion = Math.ceil(chunkRows / 4);
  const longPage = Math.ceil(chunkRows / 2);
  const trying = { signal, onError };
  const already: Alone = (run) => run();

  async function fold(
    workshopId: number,
    target: Target | undefined,
    alone: Alone,
  ): Promise<Folded | undefined> {
    let at = target;
    for (let attempt = 1; ; attempt++) {
      at ??= await missing(workshopId, alone);
      if (at === undefined) return undefined;
      if (at.version > longVersion) return { target: at, rows: undefined };
      try {
        const pages: Changes[] = [];
        for await (const page of pagesOf(at, longVersion)) pages.push(page);
        return { target: at, rows: together(pages) };
      } catch (error) {
        if (error instanceof Unfoldable) {
          await alone(() => park(workshopId, error));
          return undefined;
        }
        if (!(error instanceof Moved) || attempt === attempts) throw error;
        at = undefined;
      }
    }
  }

  /** Brings the tables up to the log, where they have nothing or are at another epoch. */
  async function missing(workshopId: number, alone: Alone): Promise<Target | undefined> {
    await alone(() => parts.catchUp(workshopId));
    return (await retrying(() => targetsOf(database, [workshopId]), trying)).get(workshopId);
  }

  let skipped: ReadonlyMap<number, readonly number[]> = new Map();

  function pagesOf(target: Target, page: number): AsyncGenerator<Changes> {
    return foldAnew({ database, log, target, page, hasSkips: skipped.has(target.workshopId) });
  }

  /** One chunk of what `pages` gives each time it is asked. Throws what Postgres refuses the rows with, and `CalledOff`. */
  async function write(
    pages: () => Iterable<Changes> | AsyncIterable<Changes>,
    done: { upTo: number | null; workshops: number },
  ): Promise<number> {
    let failures = 0;
    const attempt = async () => {
      try {
        const chunk = await beginChunk(
          { database, partition, run: run.id },
          failures % 2 === 0 ? 'copy' : 'insert',
        );
        for await (const page of pages()) await chunk.add(page);
        if (!(await chunk.finish(done))) throw new CalledOff();
        return chunk.id;
      } finally {
        failures++;
      }
    };
    const isFinal = (error: unknown) =>
      isRefusal(error) || [CalledOff, Unfoldable, Moved].some((kind) => error instanceof kind);
    return retrying(attempt, { ...trying, isFinal });
  }

  /** Parks what can't be written; answers with the chunk otherwise. */
  async function writeOne(
    { target, rows }: Folded,
    upTo: number | null,
    alone: Alone,
  ): Promise<number | undefined> {
    const pages = rows === undefined ? () => pagesOf(target, longPage) : () => [rows];
    try {
      return await write(pages, { upTo, workshops: 1 });
    } catch (error) {
      if (error instanceof Unfoldable) await alone(() => park(target.workshopId, error));
      else if (isRefusal(error))
        await alone(() => park(target.workshopId, new Unfoldable(target.version, error)));
      else throw error;
      return undefined;
    }
  }

  async function writeMany(batch: readonly Folded[], upTo: number | null): Promise<void> {
    const pages = batch.map(({ rows }) => rows ?? noChanges());
    try {
      await write(() => [together(pages)], { upTo, workshops: batch.length });
    } catch (error) {
      if (!isRefusal(error)) throw error;
      for (const each of batch)
        await writeOne(each, upTo === null ? null : each.target.workshopId, parts.alone);
    }
  }

  async function writeLong({ target }: Folded, upTo: number | null): Promise<void> {
    for (let attempt = 1, at: Target | undefined = target; at !== undefined; attempt++) {
      try {
        await writeOne({ target: at, rows: undefined }, upTo, parts.alone);
        return;
      } catch (error) {
        if (!(error instanceof Moved) || attempt === attempts) throw error;
        at = await missing(target.workshopId, parts.alone);
      }
    }
  }

  return {
    async all(workshopIds, { isFirst, onDone = async () => {} }) {
      let batch: Folded[] = [];
      let rows = 0;
      let told = performance.now();
      // One chunk is written while the next one is folded.
      let writing: Promise<void> = Promise.resolve();
      const flush = async (upTo: number | null) => {
        await writing;
        const full = batch;
        batch = [];
        rows = 0;
        if (full.length > 0) writing = writeMany(full, upTo);
        writing.catch(() => undefined);
      };
      let last: number | null = null;
      for (let from = 0; from < workshopIds.length; from += atOnce) {
        signal.throwIfAborted();
        const ids = workshopIds.slice(from, from + atOnce);
        skipped = await retrying(() => allSkipped(database), trying);
        const targets = await retrying(() => targetsOf(database, ids), trying);
        const folded = await Promise.all(ids.map((id) => fold(id, targets.get(id), parts.alone)));
        for (const [index, each] of folded.entries()) {
          const id = ids[index] ?? 0;
          if (each !== undefined && each.rows === undefined) {
            await flush(isFirst ? last : null);
            await writing;
            await writeLong(each, isFirst ? id : null);
          } else if (each?.rows !== undefined) {
            batch.push(each);
            rows += rowCount(each.rows);
          }
          last = id;
        }
        if (rows >= chunkRows) await flush(isFirst ? last : null);
        if (performance.now() - told < toldMs) continue;
        told = performance.now();
        await onDone(from + ids.length);
      }
      await flush(isFirst ? last : null);
      await writing;
      await onDone(workshopIds.length);
    },
    async one(workshopId) {
      skipped = await retrying(() => allSkipped(database), trying);
      const targets = await retrying(() => targetsOf(database, [workshopId]), trying);
      const folded = await fold(workshopId, targets.get(workshopId), already);
      if (folded === undefined) return undefined;
      const id = await writeOne(folded, null, already);
      return id === undefined ? undefined : { id, version: folded.target.version };
    },
  };
}

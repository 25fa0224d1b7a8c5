/** Writing chunks. What fails is tried again, by COPY and by statements in turn; a workshop whose rows Postgres refuses is parked. */
import { retrying } from '../../src/timing/retry.ts';
import { isRefusal } from '../database/database.ts';
import type { Changes } from '../fold/folding.ts';
import { Unfoldable } from '../parked/parked.ts';
import { beginChunk, type ChunkDone, joined } from './chunk.ts';
import { Cancelled, type RebuildParts, type Run } from './run.ts';
import { Moved, rebuiltRows, type Target } from './workshop.ts';

/** A workshop that was folded. A long one is folded again while it is written, page by page. */
export type Folded = Short | { kind: 'long'; target: Target };

export interface Short {
  kind: 'short';
  target: Target;
  rows: Changes;
}

/** A workshop of more events is long. So many are read at a time, and most events give two rows. */
export const longVersion = ({ chunkRows }: RebuildParts): number => Math.ceil(chunkRows / 4);
const longPage = ({ chunkRows }: RebuildParts): number => Math.ceil(chunkRows / 2);

/** Parks what can't be written, and answers with the chunk otherwise. `upTo`: see `chunks` of the schema. */
export async function writeOne(
  parts: RebuildParts,
  run: Run,
  folded: Folded,
  upTo: number | null,
): Promise<number | undefined> {
  const { database, log } = parts;
  const { target } = folded;
  const pages =
    folded.kind === 'short'
      ? () => [folded.rows]
      : () => rebuiltRows({ database, log, target, page: longPage(parts) });
  try {
    return await write(parts, run, pages, { upTo, workshops: 1 });
  } catch (error) {
    const unfoldable = unfoldableOf(error, target);
    if (unfoldable === undefined) throw error;
    await parts.exclusively(() => parts.park(target.workshopId, unfoldable));
    return undefined;
  }
}

/** Where one has a row that Postgres refuses, which one that is comes out one by one. */
export async function writeMany(
  parts: RebuildParts,
  run: Run,
  batch: readonly Short[],
  upTo: number | null,
): Promise<void> {
  const rows = batch.map((each) => each.rows);
  try {
    await write(parts, run, () => [joined(rows)], { upTo, workshops: batch.length });
  } catch (error) {
    if (!isRefusal(error)) throw error;
    for (const each of batch) await writeOne(parts, run, each, upTo === null ? null : each.target.workshopId);
  }
}

function unfoldableOf(error: unknown, { version }: Target): Unfoldable | undefined {
  if (error instanceof Unfoldable) return error;
  return isRefusal(error) ? new Unfoldable(version, error) : undefined;
}

/** One chunk of what `pages` gives each time it is asked. Throws what Postgres refuses the rows with, and `Cancelled`. */
async function write(
  parts: RebuildParts,
  run: Run,
  pages: () => Iterable<Changes> | AsyncIterable<Changes>,
  done: ChunkDone,
): Promise<number> {
  let failures = 0;
  async function attempt(): Promise<number> {
    const way = failures++ % 2 === 0 ? 'copy' : 'insert';
    const chunk = await beginChunk({ ...parts, run: run.id }, way);
    for await (const page of pages()) await chunk.add(page);
    if (!(await chunk.finish(done))) throw new Cancelled();
    return chunk.id;
  }
  const { signal, onError } = parts;
  return retrying(attempt, { signal, onError, isFinal });
}

const isFinal = (error: unknown) =>
  isRefusal(error) || [Cancelled, Unfoldable, Moved].some((kind) => error instanceof kind);

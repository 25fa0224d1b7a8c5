/**
 * Folding a partition anew beside the tables that are read, and switching over.
 *
 * ```
 *   every workshop, by id ──► chunks ──► those that went on meanwhile, once more ──► switched over, many at a time
 *        ▲ the place is kept: a projector                                       └──► what still moves, one at a time
 *          that takes over goes on from there
 * ```
 * The tables are followed all the while. A workshop that can't be folded anew keeps the rows that it has, and is parked.
 */
import { arrayText } from '../arrayText.ts';
import { isRefusal } from '../database.ts';
import { Unfoldable } from '../parked.ts';
import { type Filling, filling } from './fill.ts';
import { finish, known, type RebuildParts, type Run, taken, tell } from './rebuilding.ts';
import { switchAnswer, switchStatements } from './switch.ts';
import { doneChunks, foldedAnew } from './targets.ts';

/** So few workshops are brought up to the tables while they are switched over. */
const few = 8;
/** Rows that one statement switches over, roughly: a second or two. */
const rowsAtOnce = 200_000;

export async function rebuildPartition(parts: RebuildParts): Promise<void> {
  const { database, partition } = parts;
  const run = await taken(parts);
  const ids = await known(parts);
  const total = ids.length;
  const fill = filling(parts, run);
  await tell(parts, { done: run.done, total });
  await fill.all(
    ids.filter((id) => id > run.upTo),
    { isFirst: true, onDone: (count) => tell(parts, { done: Math.min(total, run.done + count), total }) },
  );
  await catchUp(parts, fill);
  const switched = new Set<number>();
  for (const chunks of await groups(parts))
    for (const id of await switchOver(parts, run, chunks)) switched.add(id);
  for (const id of await foldedAnew(database, partition, { behind: false }))
    if (!switched.has(id)) await switchOne(parts, run, fill, id);
  await finish(parts, run);
}

/** While the tables go on there are always some that are behind, and fewer each time. */
async function catchUp({ database, partition }: RebuildParts, fill: Filling): Promise<void> {
  for (let before = Number.POSITIVE_INFINITY; ; ) {
    const behind = await foldedAnew(database, partition, { behind: true });
    if (behind.length <= few || behind.length > before / 2) return;
    await fill.all(behind, { isFirst: false });
    before = behind.length;
  }
}

async function groups({ database, partition }: RebuildParts): Promise<number[][]> {
  const all: number[][] = [];
  let rows = Number.POSITIVE_INFINITY;
  for (const chunk of await doneChunks(database, partition)) {
    if (rows + chunk.rows > rowsAtOnce) {
      all.push([]);
      rows = 0;
    }
    all.at(-1)?.push(chunk.id);
    rows += chunk.rows;
  }
  return all;
}

/** The workshops that were switched over: those of the chunks that are where the tables are, unless Postgres refuses one. */
function switchOver(parts: RebuildParts, run: Run, chunks: readonly number[]): Promise<number[]> {
  return parts.alone(async () => {
    try {
      return await switchNow(parts, run, chunks);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      // Which one it is comes out one by one.
      return [];
    }
  });
}

async function switchNow(
  { own, forgetAll }: RebuildParts,
  run: Run,
  chunks: readonly number[],
): Promise<number[]> {
  const rows = await own.fenced(switchStatements, [arrayText(chunks), run.id], switchAnswer);
  forgetAll();
  return rows.flatMap(({ id }) => (id === null ? [] : [Number(id)]));
}

/** Folds the workshop while nothing else of the partition is folded, so that it is where the tables are. */
function switchOne(parts: RebuildParts, run: Run, fill: Filling, workshopId: number): Promise<void> {
  return parts.alone(async () => {
    const chunk = await fill.one(workshopId);
    if (chunk === undefined) return;
    try {
      await switchNow(parts, run, [chunk.id]);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      await parts.park(workshopId, new Unfoldable(chunk.version, error));
    }
  });
}

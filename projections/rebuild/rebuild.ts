/**
 * Rebuilding the tables of a partition beside those that are read, and switching over.
 *
 * ```
 *   every workshop, by id ──► chunks ──► those that went on meanwhile, once more ──► switched over, many at a time
 *        ▲ it is noted how far it is: a projector                                   └──► what still moves, one at a time
 *          that takes over goes on from there
 * ```
 * The tables are followed all the while. A workshop that can't be folded from its first event on keeps the rows that it has, and
 * is parked.
 */

import { isRefusal } from '../database/database.ts';
import { arrayText } from '../database/encoding.ts';
import { Unfoldable } from '../parked/parked.ts';
import { fillAll, fillOne } from './fill.ts';
import {
  beginOrGoOn,
  doneChunks,
  finish,
  type RebuildParts,
  type Run,
  rebuiltWorkshops,
  reportProgress,
  workshopsOf,
} from './run.ts';
import { switchAnswer, switchStatements } from './switch.ts';

/** So few workshops are brought up to the tables while they are switched over. */
const few = 8;
/** Rows that one statement switches over, roughly: a second or two. */
const rowsAtOnce = 200_000;

export async function rebuildPartition(parts: RebuildParts): Promise<void> {
  const { database, checkpoint } = parts;
  const run = await beginOrGoOn(parts);
  const ids = await workshopsOf(parts);
  const total = ids.length;
  const onDone = (count: number) => reportProgress(parts, { done: Math.min(total, run.done + count), total });
  await onDone(0);
  const rest = ids.filter((id) => id > run.upTo);
  await fillAll(parts, run, rest, { isFirst: true, onDone });
  await catchUp(parts, run);
  const switched = new Set<number>();
  for (const chunks of await groups(parts))
    for (const id of await switchOver(parts, run, chunks)) switched.add(id);
  for (const id of await rebuiltWorkshops(database, checkpoint.partition, { behind: false }))
    if (!switched.has(id)) await switchOne(parts, run, id);
  await finish(parts, run);
}

/** While the tables go on there are always some that are behind, and fewer each time. */
async function catchUp(parts: RebuildParts, run: Run): Promise<void> {
  const { database, checkpoint } = parts;
  for (let before = Number.POSITIVE_INFINITY; ; ) {
    const behind = await rebuiltWorkshops(database, checkpoint.partition, { behind: true });
    if (behind.length <= few || behind.length > before / 2) return;
    await fillAll(parts, run, behind, { isFirst: false });
    before = behind.length;
  }
}

/** Chunks that are switched over together. */
async function groups({ database, checkpoint }: RebuildParts): Promise<number[][]> {
  const all: number[][] = [];
  let rows = Number.POSITIVE_INFINITY;
  for (const chunk of await doneChunks(database, checkpoint.partition)) {
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
  return parts.exclusively(async () => {
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
  { writer, forgetAll }: RebuildParts,
  run: Run,
  chunks: readonly number[],
): Promise<number[]> {
  const rows = await writer.run(switchStatements, [arrayText(chunks), run.id], switchAnswer);
  forgetAll();
  return rows.flatMap(({ id }) => (id === null ? [] : [Number(id)]));
}

/** Folds the workshop while nothing else of the partition is folded, so that it is where the tables are. */
function switchOne(parts: RebuildParts, run: Run, workshopId: number): Promise<void> {
  return parts.exclusively(async () => {
    const chunk = await fillOne(parts, run, workshopId);
    if (chunk === undefined) return;
    try {
      await switchNow(parts, run, [chunk.id]);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      await parts.park(workshopId, new Unfoldable(chunk.version, error));
    }
  });
}

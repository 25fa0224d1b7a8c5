/**
 * Forgetting a person: their name, picture and words go from every stream of the log and from every table; ids, times, order
 * and counts stay. It may be repeated, and goes on after it broke off.
 */
import { z } from 'zod';
import { eraseFrom } from '../../src/domain/erasing.ts';
import type { Database } from '../database.ts';
import type { ProjectedLog } from '../feed.ts';
import { callOffRebuilds } from '../rebuild.ts';
import { type Erased, eraseRows, workshopsOf } from './rows.ts';

/** What is told while it goes on, and at its end. */
export const erasingTold = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('progress'), done: z.number().int(), total: z.number().int() }),
  z.object({
    kind: z.literal('summary'),
    workshops: z.number().int().describe('In which something was erased'),
    events: z.number().int(),
    messages: z.number().int().describe('Chat messages; each is an event too'),
  }),
]);
export type ErasingTold = z.infer<typeof erasingTold>;

export interface EraseParts {
  log: ProjectedLog;
  database: Database;
  userId: number;
  signal?: AbortSignal;
}

/**
 * A projector that has a workshop in memory may write a row once more as it was: the tables are looked at again after the log has
 * a new epoch, with which it reads them anew.
 */
const passes = 3;

export async function* erase(parts: EraseParts): AsyncGenerator<ErasingTold> {
  const { log, database, userId, signal } = parts;
  const workshopIds = await concerned(parts);
  const sum = { workshops: 0, events: 0, messages: 0 };
  for (const [done, workshopId] of workshopIds.entries()) {
    yield { kind: 'progress', done, total: workshopIds.length };
    signal?.throwIfAborted();
    const erased = await eraseWorkshop(log, database, { workshopId, userId });
    if (erased.events + erased.messages + erased.attendances > 0) sum.workshops++;
    sum.events += erased.events;
    sum.messages += erased.messages;
  }
  yield { kind: 'progress', done: workshopIds.length, total: workshopIds.length };
  yield { kind: 'summary', ...sum };
}

/** Of workshops with a stream all: the tables may be behind. */
async function concerned({ log, database, userId }: EraseParts): Promise<number[]> {
  const ids = new Set(await workshopsOf(database, userId));
  for (let partition = 0; partition < log.partitions; partition++)
    for (const id of (await log.open(partition)).keys()) ids.add(id);
  return [...ids].sort((one, other) => one - other);
}

async function eraseWorkshop(
  log: ProjectedLog,
  database: Database,
  { workshopId, userId }: { workshopId: number; userId: number },
): Promise<Erased> {
  const sum = await eraseRows(database, workshopId, userId);
  const inLog = await log.rewrite(workshopId, (event) => eraseFrom(event, userId));
  sum.events = Math.max(sum.events, inLog);
  // What a rebuild has read of it by now is not written from here on, and what it wrote before is erased below.
  await callOffRebuilds(database);
  for (let pass = 1; pass <= passes && sum.events > 0; pass++) {
    const again = await eraseRows(database, workshopId, userId);
    sum.messages += again.messages;
    sum.attendances += again.attendances;
    if (again.events + again.messages + again.attendances === 0) break;
  }
  return sum;
}

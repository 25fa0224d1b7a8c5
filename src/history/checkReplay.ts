/**
 * Whether this program folds archived workshops to what they came to when they were archived: to be asked of a new version before
 * it takes over. Every event is read again, wherever it is kept, and what was recorded is held against it.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { z } from 'zod';
import { accounting, firstDifference } from '../../projections/archive/account.ts';
import type { Archive } from '../../projections/archive/archives.ts';
import { reducer } from '../domain/evolve.ts';
import { EventMissing } from '../log/log.ts';
import { CodedError } from '../protocol/errors.ts';
import type { History } from './history.ts';

const count = z.number().int();

export const replayReport = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('difference'),
    workshopId: count,
    version: count.describe('Of the first event at which it shows'),
    problem: z.string(),
    recordedBy: count.describe('Number of the fold that the result was recorded with'),
    reducer: count.describe('Number of the fold of this program'),
  }),
  z.object({ kind: z.literal('progress'), done: count, total: count }),
  z.object({
    kind: z.literal('summary'),
    workshops: count.describe('That were folded'),
    events: count,
    differences: count.describe('Workshops that differ'),
    passedOver: count.describe(
      'Workshops that went on since they were archived, and are archived again later',
    ),
  }),
]);

export type ReplayReport = z.infer<typeof replayReport>;

export interface CheckingReplay {
  archives: {
    /** Above an id, in the order of ids. */
    after(workshopId: number, limit: number): Promise<Archive[]>;
    count(): Promise<number>;
  };
  history: History;
  signal?: AbortSignal;
}

/** Archives that are read at once. */
const page = 100;

/** Differences and progress as they come, then the summary. Rejects where a store is away. */
export async function* checkReplay({
  archives,
  history,
  signal,
}: CheckingReplay): AsyncGenerator<ReplayReport> {
  const total = await archives.count();
  const summary = { workshops: 0, events: 0, differences: 0, passedOver: 0 };
  let done = 0;
  for (let last = 0; ; ) {
    const rows = await archives.after(last, page);
    for (const row of rows) {
      signal?.throwIfAborted();
      last = row.workshopId;
      if (row.present === row.version) {
        const found = await differenceOf({ archives, history }, row);
        if (found === 'went on') summary.passedOver++;
        else {
          summary.workshops++;
          summary.events += row.version;
          if (found !== undefined) {
            summary.differences++;
            const { workshopId, reducer: recordedBy } = row;
            yield { kind: 'difference', workshopId, ...found, recordedBy, reducer };
          }
        }
      } else summary.passedOver++;
      yield { kind: 'progress', done: ++done, total: Math.max(done, total) };
    }
    if (rows.length < page) break;
  }
  yield { kind: 'summary', ...summary };
}

interface Found {
  version: number;
  problem: string;
}

/** What was recorded anew while it was looked at – a message was deleted, a person forgotten – is looked at once more. */
async function differenceOf(
  { archives, history }: Pick<CheckingReplay, 'archives' | 'history'>,
  recorded: Archive,
): Promise<Found | 'went on' | undefined> {
  const found = await differing(history, recorded);
  if (found === undefined) return undefined;
  const [now] = await archives.after(recorded.workshopId - 1, 1);
  if (now?.workshopId !== recorded.workshopId) return found;
  if (now.present !== now.version) return 'went on';
  return now.hash === recorded.hash ? found : differing(history, now);
}

async function differing(history: History, recorded: Archive): Promise<Found | undefined> {
  const { workshopId, version } = recorded;
  const { add, account } = accounting(workshopId);
  let taking = 0;
  const opened = await history.open(workshopId);
  if (opened === undefined) return { version: 1, problem: 'its events are not kept any more' };
  try {
    for await (const events of opened.pages()) {
      for (const event of events) {
        taking = event.version;
        if (taking <= version) add(event);
      }
      await nextTurn();
    }
  } catch (error) {
    // A store that is away says nothing about the workshop.
    if (error instanceof CodedError) throw error;
    if (error instanceof EventMissing) return { version: error.version, problem: 'is not kept any more' };
    return { version: taking, problem: `is refused: ${error instanceof Error ? error.message : error}` };
  }
  const found = account();
  if (found.version !== version) return { version: found.version + 1, problem: 'is not kept any more' };
  const step = firstDifference(found.steps, recorded.steps);
  if (found.hash !== recorded.hash)
    return { version: step ?? version, problem: 'the events are not those that were archived' };
  if (step !== undefined) return { version: step, problem: 'changes the room otherwise than it did' };
  if (found.state !== recorded.state) return { version, problem: 'leaves another room at the end' };
  return undefined;
}

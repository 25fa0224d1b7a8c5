/**
 * Folding a workshop's events page by page: the one way in which they become rows wherever the feed is not enough – to repair a
 * workshop, to rebuild its tables, to verify them.
 *
 *   source ──steps──► foldedPages ──► rows      of events that follow on each other
 *                                 ──► skipped   an event that an operator gave up: it counts, and changes nothing
 *                                 ──► fault     the first event that can't be folded, which ends it
 *
 * What becomes of each is the caller's: this knows no table and writes nothing.
 */
import { deletedBy } from '../../src/domain/erasing.ts';
import type { RecordedEvent } from '../../src/domain/evolve.ts';
import type { ChatRow } from '../chat/schema.ts';
import { type Changes, type Folding, folding, noChanges } from './folding.ts';
import { type Skip, type Skips, skipOf } from './skips.ts';
import type { Step } from './source.ts';
import type { WorkshopState } from './state.ts';

export type FoldedPage =
  /** What changed with the events after version `after` up to `to`. */
  | { kind: 'rows'; after: number; to: number; changes: Changes }
  /** `event` is undefined where its entry can't be parsed. */
  | { kind: 'skipped'; version: number; event: RecordedEvent | undefined; skip: Skip }
  | Fault;

/** State and rows of the page are spoilt then. */
export interface Fault {
  kind: 'fault';
  /** `gap`: it does not follow on the state's version. */
  what: 'gap' | 'unreadable' | 'unfoldable';
  /** Of the event. */
  version: number;
  /** The version that was folded last. */
  after: number;
  cause: unknown;
}

export interface PageOptions {
  /** Of the workshop, up to the event before the first one. It is folded in place. */
  state: WorkshopState;
  epoch: string;
  steps: Iterable<Step> | AsyncIterable<Step>;
  skips: Skips;
  /** Messages that are deleted by later events, as `deletionsOf` finds them: they have no text from the beginning. */
  deletions: Pick<Deletions, 'has'>;
  /** What comes after this version is not asked for. */
  upTo?: number;
  /** Told of each event once it is folded. */
  onFolded?(event: RecordedEvent): void;
}

export async function* foldedPages(options: PageOptions): AsyncGenerator<FoldedPage> {
  const { state, upTo = Number.POSITIVE_INFINITY } = options;
  for await (const step of options.steps) {
    for (const page of pagesOf(step, options)) {
      yield page;
      if (page.kind === 'fault') return;
    }
    if (state.room.version >= upTo) return;
  }
}

/** Events of one step that follow on each other and are folded together. */
interface Run {
  after: number;
  fold: Folding;
}

function* pagesOf(step: Step, options: PageOptions): Generator<FoldedPage> {
  const { state, epoch, skips, deletions, upTo = Number.POSITIVE_INFINITY, onFolded } = options;
  const { room } = state;
  let run: Run | undefined;
  for (const entry of step.kind === 'events' ? step.events : [step]) {
    const { version } = entry;
    const after = room.version;
    if (version > upTo) break;
    if (version !== after + 1) return yield gap(room.id, version, after);
    const event = 'eventId' in entry ? entry : undefined;
    const skip = skipOf(skips, event ?? { version });
    if (skip !== undefined) {
      if (run !== undefined) yield rowsOf(run, state);
      run = undefined;
      room.version = version;
      state.epoch = epoch;
      yield { kind: 'skipped', version, event, skip };
      continue;
    }
    if ('error' in entry) return yield fault('unreadable', version, after, entry.error);
    run ??= { after, fold: folding(state, epoch, deletions) };
    try {
      run.fold.add(entry);
    } catch (cause) {
      return yield fault('unfoldable', version, after, cause);
    }
    onFolded?.(entry);
  }
  if (run !== undefined) yield rowsOf(run, state);
}

function fault(what: Fault['what'], version: number, after: number, cause: unknown): Fault {
  return { kind: 'fault', what, version, after, cause };
}

function gap(workshopId: number, version: number, after: number): Fault {
  const cause = new Error(`workshop ${workshopId}: event ${version} does not follow version ${after}`);
  return fault('gap', version, after, cause);
}

function rowsOf({ after, fold }: Run, { room }: WorkshopState): FoldedPage {
  const to = room.version;
  const changes = noChanges();
  try {
    fold.addTo(changes);
  } catch (cause) {
    return fault('unfoldable', to, after, cause);
  }
  return { kind: 'rows', after, to, changes };
}

/** Messages that are deleted, and when they were, in milliseconds since 1970. */
export type Deletions = ReadonlyMap<number, number>;

/**
 * A pass of its own over the events, so that what was deleted does not come back for the time between two pages. Of several
 * deletions of a message the first counts; one that was given up does not.
 */
export async function deletionsOf(
  steps: Iterable<Step> | AsyncIterable<Step>,
  skips: Skips,
  upTo = Number.POSITIVE_INFINITY,
): Promise<Deletions> {
  const deletions = new Map<number, number>();
  for await (const step of steps) {
    if (step.kind === 'unreadable') continue;
    for (const event of step.events) {
      if (event.version > upTo) return deletions;
      const id = deletedBy(event);
      if (id !== undefined && skipOf(skips, event) === undefined && !deletions.has(id))
        deletions.set(id, event.at);
    }
  }
  return deletions;
}

/** Messages as they are once the deletions are folded too. */
export function withDeletions(chat: readonly ChatRow[], deletions: Deletions): ChatRow[] {
  return chat.map((row) => {
    const deletedAt = deletions.get(row.id);
    return deletedAt === undefined ? row : { ...row, message: null, deletedAt };
  });
}

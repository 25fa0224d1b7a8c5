/**
 * What happened in a workshop, wherever it is kept: in the log while its stream is there, in `workshop_events` after. A
 * reader does not notice which, nor that the stream went away while it was reading.
 */

import type { StoredEvents } from '../../projections/events/queries.ts';
import type { RecordedEvent } from '../domain/evolve.ts';
import { EventMissing, isPart, readAll, type WorkshopEvents } from '../log/log.ts';
import { CodedError } from '../protocol/errors.ts';

export interface History {
  /** Undefined where no event of the workshop is kept. Rejects with `unavailable` while what keeps it is away. */
  open(workshopId: number): Promise<OpenHistory | undefined>;
}

/**
 * The workshop up to the version that it had when it was opened. What comes later is not part of it. Events are as they were
 * recorded, so that they can be held against what was archived: whoever looks into their data takes `current`.
 */
export interface OpenHistory {
  readonly workshopId: number;
  readonly version: number;
  /** Of the log; empty where the log has let go of the stream. */
  readonly epoch: string;
  /**
   * Events after version `after`, in order, at most `limit`: fewer at the end alone. Texts that were deleted since may still
   * be in them. Rejects with `unavailable` where the log lost some of them meanwhile: half of one history and half of another
   * would look whole.
   */
  read(after: number, limit: number): Promise<RecordedEvent[]>;
  /** The events at these versions, in order. Rejects as `read` does. */
  each(versions: readonly number[]): Promise<RecordedEvent[]>;
  /** All events after `after`, page by page; the next page is asked for while one is worked on. */
  pages(after?: number, size?: number): AsyncGenerator<RecordedEvent[]>;
}

/** Where events are kept whose stream is gone. */
type Stored = Pick<StoredEvents, 'read' | 'each' | 'version'>;

/** `stored` is left out where the log keeps every workshop for good. */
export function workshopHistory(log: Pick<WorkshopEvents, 'head' | 'read'>, stored?: Stored): History {
  return {
    async open(workshopId) {
      const head = await available(log.head(workshopId));
      if (head !== null && head.version > 0) return opened({ log, stored }, workshopId, head);
      const version = stored === undefined ? 0 : await available(stored.version(workshopId));
      return version === 0 ? undefined : opened({ log, stored }, workshopId, { version, epoch: '' });
    },
  };
}

interface Sources {
  log: Pick<WorkshopEvents, 'head' | 'read'>;
  stored: Stored | undefined;
}

function opened(
  { log, stored }: Sources,
  workshopId: number,
  { version, epoch }: { version: number; epoch: string },
): OpenHistory {
  let fromLog = epoch !== '';

  /** What the log answers; undefined where it has let go of the stream. */
  async function logged(asked: () => Promise<RecordedEvent[]>, wanted: number) {
    if (!fromLog) return undefined;
    const events = await asked();
    const head = await log.head(workshopId);
    if (head !== null && isPart(head, epoch, version) && events.length === wanted) return events;
    if (head !== null) throw new CodedError('unavailable', 'the log lost events meanwhile: read it again');
    fromLog = false;
    return undefined;
  }

  async function read(after: number, limit: number): Promise<RecordedEvent[]> {
    const wanted = Math.min(limit, version - after);
    if (wanted <= 0) return [];
    const found = await logged(() => log.read(workshopId, after, wanted), wanted);
    if (found !== undefined) return found;
    const events = (await stored?.read(workshopId, after, wanted)) ?? [];
    const isWhole = events.length === wanted && events.at(-1)?.version === after + wanted;
    if (isWhole) return events;
    const before = events.findIndex((event, index) => event.version !== after + index + 1);
    throw new EventMissing(workshopId, after + 1 + (before === -1 ? events.length : before));
  }

  async function each(versions: readonly number[]): Promise<RecordedEvent[]> {
    if (versions.length === 0) return [];
    const one = async (at: number) => (await log.read(workshopId, at - 1, 1)).filter((e) => e.version === at);
    const found = await logged(async () => (await Promise.all(versions.map(one))).flat(), versions.length);
    if (found !== undefined) return found;
    const events = (await stored?.each(workshopId, versions)) ?? [];
    const missing = versions.find((at, index) => events[index]?.version !== at);
    if (missing === undefined) return events;
    throw new EventMissing(workshopId, missing);
  }

  const reading = (after: number, limit: number) => available(read(after, limit));
  return {
    workshopId,
    version,
    epoch,
    read: reading,
    each: (versions) => available(each(versions)),
    pages: (after = 0, size = 1_000) =>
      readAll({ read: (_, from, limit) => reading(from, limit) }, workshopId, after, size),
  };
}

/** A store that does not answer is no bug of ours, and passes. */
async function available<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (cause) {
    if (cause instanceof CodedError || cause instanceof EventMissing) throw cause;
    throw new CodedError('unavailable', undefined, { cause });
  }
}

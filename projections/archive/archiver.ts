/**
 * Archiving, beside the projecting and never in its way: some time after a workshop is over, what it came to is recorded, and
 * the log lets go of its stream – or, where nothing else keeps the events for good, of the texts that were deleted.
 *
 * ```
 *   over, and left alone for long enough
 *     ──► every event is in the tables (count, hash) ──► recorded ──► stream removed, if it still ends there
 *            │ no: said once, looked at again later          │            │ no: it went on, and is due again later
 *            └── parked, given up, different: stays          └── the owner of the partition alone, at that version alone
 * ```
 * However it is broken off there is the stream, or everything is recorded and in the tables; doing it again changes nothing.
 */
import { redactedData } from '../../src/domain/erasing.ts';
import type { RecordedEvent } from '../../src/domain/evolve.ts';
import { pause } from '../../src/timing/retry.ts';
import type { Database } from '../database/database.ts';
import type { ProjectedLog } from '../fold/source.ts';
import { type ArchivedStreams, type Due, dueWorkshops, recordArchive } from './archives.ts';
import { confirm } from './confirm.ts';

export type ArchiverEvent =
  /** `texts` were overwritten where the stream stays. */
  | { type: 'archived'; workshopId: number; version: number; texts: number }
  /** It stays in the log, and is looked at again later. Reported once for each version and reason. */
  | { type: 'waiting'; workshopId: number; version: number; reason: string }
  /** It is tried again. */
  | { type: 'error'; error: unknown };

export interface ArchiverOptions {
  database: Database;
  log: ProjectedLog;
  /** Partitions that this projector has, each with its fencing number. */
  held(): ReadonlyMap<number, number>;
  /** How long after a workshop's end, in milliseconds; it is left alone while it is still moderated. */
  afterMs: number;
  /** Whether streams are removed; where they stay, deleted texts are overwritten in them. */
  streams: ArchivedStreams;
  /** How often is looked for what is due at most; 1,000 if left out. */
  shortestMs?: number;
  onEvent(event: ArchiverEvent): void;
}

export interface Archiver {
  /** Resolves when nothing is under way any more. */
  close(): Promise<void>;
}

/** How often is looked for what is due at least, in milliseconds. */
const longest = 30_000;
/** How long nothing may have happened: messages are often deleted one after the other. */
const quietMs = 60_000;
/** When something that waits for an operator is looked at again. */
const againMs = 10 * 60_000;

export function archiver(options: ArchiverOptions): Archiver {
  const { database, held, afterMs, shortestMs = 1_000, onEvent } = options;
  const closing = new AbortController();
  const { signal } = closing;
  /** What waits for an operator, and when it is looked at again. */
  const waiting = new Map<number, { reported: string; until: number }>();
  const running = run();

  async function run(): Promise<void> {
    await Promise.race([database.ready, aborted(signal)]).catch(failed);
    while (!signal.aborted) {
      await round().catch(failed);
      await pause(Math.min(longest, Math.max(shortestMs, afterMs / 60)), signal).catch(() => undefined);
    }
  }

  function failed(error: unknown): void {
    if (!signal.aborted) onEvent({ type: 'error', error });
  }

  async function round(): Promise<void> {
    const isWaiting = (id: number) => (waiting.get(id)?.until ?? 0) >= performance.now();
    for (const partition of held().keys()) {
      for (const due of await dueIn(options, partition, isWaiting)) {
        signal.throwIfAborted();
        try {
          became(due, await archive(options, partition, due, signal));
        } catch (error) {
          // One that cannot be read must not keep the others waiting.
          failed(error);
        }
      }
    }
  }

  function became({ workshopId, version }: Due, outcome: Outcome): void {
    if (outcome.kind === 'archived') {
      waiting.delete(workshopId);
      onEvent({ type: 'archived', workshopId, version, texts: outcome.texts });
    }
    if (outcome.kind !== 'waiting') return;
    const { reason } = outcome;
    const reported = `${version}: ${reason}`;
    if (waiting.get(workshopId)?.reported !== reported)
      onEvent({ type: 'waiting', workshopId, version, reason });
    waiting.set(workshopId, { reported, until: performance.now() + againMs });
  }

  return {
    async close() {
      closing.abort(new Error('the projector is closing'));
      await running;
    },
  };
}

async function dueIn(
  { database, log, afterMs, streams }: ArchiverOptions,
  partition: number,
  isWaiting: (workshopId: number) => boolean,
): Promise<Due[]> {
  const open = await log.streams.ids(partition);
  return dueWorkshops(database, {
    among: open.filter((id) => !isWaiting(id)),
    ...{ endedUntil: log.now() - afterMs, quietSince: log.now() - Math.min(afterMs, quietMs) },
    unrecorded: streams === 'kept',
  });
}

type Outcome =
  | { kind: 'archived'; texts: number }
  | { kind: 'waiting'; reason: string }
  /** It went on, or the partition is another's: whoever finds it due again does it. */
  | { kind: 'not now' };

const notNow: Outcome = { kind: 'not now' };

async function archive(
  { database, log, held, streams }: ArchiverOptions,
  partition: number,
  due: Due,
  signal: AbortSignal,
): Promise<Outcome> {
  const { workshopId, version, eventId, waits } = due;
  if (waits !== undefined) return { kind: 'waiting', reason: reasons[waits] };
  const head = await log.events.head(workshopId);
  // The tables are not as far yet.
  if (head?.version !== version) return notNow;
  const confirmed = await confirm({ database, log, signal }, workshopId, version);
  if (confirmed.kind === 'different') {
    // Somebody is being forgotten in it: the stream first, then the rows.
    const isAnother = (await log.events.head(workshopId))?.epoch !== head.epoch;
    return isAnother ? notNow : { kind: 'waiting', reason: confirmed.reason };
  }
  const { account, deleted } = confirmed;
  const fence = held().get(partition);
  if (fence === undefined) return notNow;
  const redacted = (event: RecordedEvent) => (deleted.has(event.version) ? redactedData(event) : event.data);
  const texts = streams === 'removed' ? 0 : await log.streams.rewrite(workshopId, redacted);
  if (!(await recordArchive(database, { partition, fence }, due, account))) return notNow;
  const isGone =
    streams === 'kept' || (await log.streams.remove(workshopId, { version, eventId, epoch: head.epoch }));
  return isGone ? { kind: 'archived', texts } : notNow;
}

const reasons = {
  parked: 'it is parked (workshop projections status)',
  skipped: 'an event of it was given up, so that the log alone has it as it was',
};

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

/**
 * Archiving, beside the projecting and never in its way: some time after a workshop is over, what it came to is recorded, and
 * the log lets go of its stream – or, where nothing else keeps the events for good, of the texts that were deleted.
 *
 * ```
 *   over, and left alone for long enough
 *     ──► every event is in the tables (count, hash) ──► recorded ──► stream removed, if it still ends there
 *            │ no: told once, looked at again later          │            │ no: it went on, and is due again later
 *            └── parked, given up, different: stays          └── the owner of the partition alone, at that version alone
 * ```
 * However it is broken off there is the stream, or everything is recorded and in the tables; doing it again changes nothing.
 */
import { redactedData } from '../../src/domain/erasing.ts';
import type { Database } from '../database.ts';
import type { Archives, ProjectedLog } from '../feed.ts';
import { pause } from '../retry.ts';
import { type Due, dueWorkshops, recordArchive } from './archives.ts';
import { confirm } from './confirm.ts';

export type ArchiverEvent =
  /** `texts` were overwritten where the stream stays. */
  | { type: 'archived'; workshopId: number; version: number; texts: number }
  /** It stays in the log, and is looked at again later. Told once for each version and reason. */
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
  streams: Archives;
  onEvent(event: ArchiverEvent): void;
}

export interface Archiver {
  /** Resolves when nothing is under way any more. */
  close(): Promise<void>;
}

/** How often is looked for what is due, at most and at least, in milliseconds. */
const [shortest, longest] = [1_000, 30_000];
/** How long nothing may have happened: messages are often deleted one after the other. */
const quietMs = 60_000;
/** When something that waits for an operator is looked at again. */
const againMs = 10 * 60_000;

export function archiver(options: ArchiverOptions): Archiver {
  const { database, log, held, afterMs, streams, onEvent } = options;
  const closing = new AbortController();
  const { signal } = closing;
  const waiting = new Map<number, { told: string; until: number }>();
  const running = run();

  async function run(): Promise<void> {
    await Promise.race([database.ready, aborted(signal)]).catch(failed);
    while (!signal.aborted) {
      await round().catch(failed);
      await pause(Math.min(longest, Math.max(shortest, afterMs / 60)), signal).catch(() => undefined);
    }
  }

  function failed(error: unknown): void {
    if (!signal.aborted) onEvent({ type: 'error', error });
  }

  async function round(): Promise<void> {
    for (const partition of held().keys()) {
      for (const due of await dueIn(partition)) {
        signal.throwIfAborted();
        try {
          await archive(partition, due);
        } catch (error) {
          // One that cannot be read must not keep the others waiting.
          failed(error);
        }
      }
    }
  }

  async function dueIn(partition: number): Promise<Due[]> {
    const open = [...(await log.open(partition)).keys()];
    const among = open.filter((id) => (waiting.get(id)?.until ?? 0) < performance.now());
    return dueWorkshops(database, {
      ...{ among, endedUntil: log.now() - afterMs, quietSince: log.now() - Math.min(afterMs, quietMs) },
      unrecorded: streams === 'kept',
    });
  }

  async function archive(partition: number, due: Due): Promise<void> {
    const { workshopId, version, eventId, waits } = due;
    if (waits !== undefined) return stays(workshopId, version, reasons[waits]);
    const head = await log.head(workshopId);
    // The tables are not as far yet.
    if (head?.version !== version) return;
    const confirmed = await confirm({ database, log, signal }, workshopId, version);
    if (confirmed.kind === 'different') {
      // Somebody is being forgotten in it: the stream first, then the rows.
      const isAnother = (await log.head(workshopId))?.epoch !== head.epoch;
      return isAnother ? undefined : stays(workshopId, version, confirmed.reason);
    }
    const { account, deleted } = confirmed;
    const fence = held().get(partition);
    if (fence === undefined) return;
    const texts =
      streams === 'removed'
        ? 0
        : await log.rewrite(workshopId, (event) =>
            deleted.has(event.version) ? redactedData(event) : event.data,
          );
    if (!(await recordArchive(database, { partition, fence }, due, account))) return;
    if (streams === 'removed' && !(await log.remove(workshopId, { version, eventId, epoch: head.epoch })))
      return;
    waiting.delete(workshopId);
    onEvent({ type: 'archived', workshopId, version, texts });
  }

  function stays(workshopId: number, version: number, reason: string): void {
    const told = `${version}: ${reason}`;
    if (waiting.get(workshopId)?.told !== told) onEvent({ type: 'waiting', workshopId, version, reason });
    waiting.set(workshopId, { told, until: performance.now() + againMs });
  }

  return {
    async close() {
      closing.abort(new Error('the projector is closing'));
      await running;
    },
  };
}

const reasons = {
  parked: 'it is parked (workshop projections status)',
  skipped: 'an event of it was given up, so that the log alone has it as it was',
};

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

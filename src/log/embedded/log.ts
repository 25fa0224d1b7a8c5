/**
 * The event log in a folder of this machine, on LMDB. One process writes; others may open it for reading meanwhile.
 *
 * Durable: what an append resolves with is flushed to disk, and nothing is seen by anyone before that, so it survives a
 * killed process and a power cut.
 */
import { type Append, type EventLog, maxEventsPerAppend, missingLimit, type Tail } from '../log.ts';
import { appendIn, tellAnew } from './append.ts';
import { commandDone, eventRows, headOf, readEvents, recorded } from './events.ts';
import { allocateIn, raiseIdsIn } from './ids.ts';
import { embeddedPresence, renewLeases } from './presence.ts';
import { refillEvents } from './refill.ts';
import { clearLeftovers, removeEvents } from './remove.ts';
import { rewriteEvents } from './rewrite.ts';
import { openStore } from './store.ts';
import { embeddedTail } from './tail.ts';
import { embeddedTimers } from './timers.ts';
import { turns } from './turns.ts';

export interface EmbeddedLogOptions {
  /** A folder; made where it does not exist. */
  path: string;
  /** Opens an existing log beside the process that writes it; what would write rejects with `unavailable`. */
  readOnly?: boolean;
  /** Milliseconds since 1970; the system's clock if left out. */
  now?: () => number;
}

/** Rejects with an Error that says why where the folder can't be opened as an event log of this format. */
export async function embeddedLog(options: EmbeddedLogOptions): Promise<EventLog> {
  const { path, readOnly = false, now = Date.now } = options;
  const store = openStore(path, readOnly);
  const tails = new Set<Tail>();
  const inTurn = turns();
  if (!readOnly) {
    await store.write(() => renewLeases(store, now()));
    await clearLeftovers(store);
  }

  return {
    kind: 'embedded',
    partitions: 1,
    partitionOf: () => 0,
    now,
    async append(append) {
      checkSize(append);
      return store.write(() => appendIn(store, append, now()));
    },
    read: (workshopId, after, limit) => store.read(() => readEvents(store, workshopId, after, limit)),
    head: (workshopId) =>
      store.read(() => {
        const head = headOf(store, workshopId);
        return head === undefined ? null : { version: head.version, epoch: head.epoch, past: noPast };
      }),
    check: (workshopId, after, by, commandId) =>
      store.read(() => {
        const unseen = [...eventRows(store, workshopId, after, missingLimit)];
        const head = headOf(store, workshopId);
        return {
          version: head?.version ?? 0,
          epoch: head?.epoch ?? '',
          done: commandId === null ? null : commandDone(store, { workshopId, by, commandId }, true, unseen),
          missing: unseen.map(recorded),
        };
      }),
    // One process, one store, and every append on disk before it is answered: nothing that was seen is lost.
    newEpoch: (workshopId) => store.read(() => headOf(store, workshopId)?.epoch ?? ''),
    refill: (workshopId, pages) => inTurn(workshopId, () => refillEvents(store, { workshopId, now }, pages)),
    remove: (workshopId, last) => inTurn(workshopId, () => removeEvents(store, workshopId, last)),
    rewrite: (workshopId, rewriting) => inTurn(workshopId, () => rewriteEvents(store, workshopId, rewriting)),
    announce: (workshopId) => store.write(() => tellAnew(store, workshopId, 0)),
    tail(tailOptions) {
      const tail = embeddedTail(store, tailOptions);
      tails.add(tail);
      return {
        ready: tail.ready,
        async close() {
          tails.delete(tail);
          await tail.close();
        },
      };
    },
    open: (partition) =>
      store.read(() => {
        if (partition !== 0) throw new RangeError(`there is no partition ${partition} of 1`);
        const heads = [...store.heads.getRange()].filter(({ value }) => value[3] !== true);
        return new Map(heads.map(({ key, value }) => [key, value[0]]));
      }),
    allocate: (request) => store.write(() => allocateIn(store, request, now())),
    raiseIds: (above) => store.write(() => raiseIdsIn(store, above)),
    presence: embeddedPresence(store, now),
    timers: embeddedTimers(store, now),
    async ping() {
      await store.write(() => void store.settings.put('ping', now()));
    },
    async close() {
      await Promise.all(Array.from(tails, (tail) => tail.close()));
      await store.close();
    },
  };
}

const noPast: ReadonlyMap<string, number> = new Map();

function checkSize({ commands }: Append): void {
  const events = commands.reduce((sum, command) => sum + command.events.length, 0);
  if (events > maxEventsPerAppend)
    throw new RangeError(`an append holds ${maxEventsPerAppend} events at most`);
  if (commands.length === 0 || commands.some((command) => command.events.length === 0))
    throw new RangeError('a command without events is not appended');
}

/**
 * The event log in a folder of this machine, on LMDB. One process writes; others may open it for reading meanwhile.
 *
 * Durable: what an append resolves with is flushed to disk, and nothing is seen by anyone before that, so it survives a
 * killed process and a power cut.
 */
import {
  type Append,
  type CommandMemory,
  type EventLog,
  type Feed,
  maxEventsPerAppend,
  missingLimit,
  type Tail,
  type WorkshopEvents,
} from '../log.ts';
import { appendIn, tellRewritten } from './append.ts';
import { commandDone, eventRows, headOf, readEvents, recorded } from './events.ts';
import { embeddedIdentity } from './identity.ts';
import { embeddedIds } from './ids.ts';
import { embeddedNotes } from './notes.ts';
import { embeddedPresence, renewLeases } from './presence.ts';
import { clearLeftovers } from './remove.ts';
import { embeddedSnapshots } from './snapshots.ts';
import { openStore, type Store } from './store.ts';
import { embeddedStreams } from './streams.ts';
import { embeddedTail } from './tail.ts';
import { embeddedTimers } from './timers.ts';

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
  if (!readOnly) {
    await store.write(() => renewLeases(store, now()));
    await clearLeftovers(store);
  }
  return {
    kind: 'embedded',
    partitions: 1,
    partitionOf: () => 0,
    now,
    events: embeddedEvents(store, now),
    commands: embeddedCommands(store),
    feed: embeddedFeed(store, tails),
    streams: embeddedStreams(store, now),
    snapshots: embeddedSnapshots(store),
    presence: embeddedPresence(store, now),
    timers: embeddedTimers(store, now),
    ids: embeddedIds(store, now),
    identity: embeddedIdentity(store),
    notes: embeddedNotes(store),
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

function embeddedEvents(store: Store, now: () => number): WorkshopEvents {
  return {
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
    // One process, one store, and every append on disk before it is answered: nothing that was seen is lost.
    newEpoch: (workshopId) => store.read(() => headOf(store, workshopId)?.epoch ?? ''),
  };
}

function checkSize({ commands }: Append): void {
  const events = commands.reduce((sum, command) => sum + command.events.length, 0);
  if (events > maxEventsPerAppend)
    throw new RangeError(`an append holds ${maxEventsPerAppend} events at most`);
  if (commands.length === 0 || commands.some((command) => command.events.length === 0))
    throw new RangeError('a command without events is not appended');
}

function embeddedCommands(store: Store): CommandMemory {
  return {
    check: (workshopId, after, by, commandId) =>
      store.read(() => {
        const unseen = [...eventRows(store, workshopId, after, missingLimit)];
        const head = headOf(store, workshopId);
        const asked = commandId === null ? null : { workshopId, by, commandId };
        return {
          version: head?.version ?? 0,
          epoch: head?.epoch ?? '',
          done: asked && commandDone(store, asked, true, unseen),
          missing: unseen.map(recorded),
        };
      }),
  };
}

/** `tails` are those that are open. */
function embeddedFeed(store: Store, tails: Set<Tail>): Feed {
  return {
    tail(options) {
      const tail = embeddedTail(store, options);
      tails.add(tail);
      return {
        ready: tail.ready,
        async close() {
          tails.delete(tail);
          await tail.close();
        },
      };
    },
    announce: (workshopId) => store.write(() => tellRewritten(store, workshopId, 0)),
  };
}

/**
 * The LMDB environment under the embedded log: its sub-databases, what their keys and values are, and how it is opened.
 * Rows are tuples, so that a field's name is not stored with every event.
 */
import { randomUUID } from 'node:crypto';
import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Database, type Key, open, type RootDatabase } from 'lmdb';
import { type Forms, requireReadable } from '../formats.ts';
import { type Commits, groupCommit, unavailable } from './commit.ts';

/** The number is raised when a key or a row changes. */
const formats: Forms = { word: 'format', written: 1, oldest: 1, newest: 1 };
/** LMDB's mark in the first page, in the byte order of the machine, which is little-endian wherever lmdb-js runs. */
const magic = 0xbeefc0de;
const magicAt = 24;
/** Above every id and version. */
export const top = Number.MAX_SAFE_INTEGER;

export type By = number | 'system';
/** at, eventId, type, schema, by, commandId, data as JSON text */
export type EventRow = [
  at: number,
  eventId: string,
  type: string,
  schema: number,
  by: By,
  commandId: string,
  data: string,
];

/**
 * The last version and that event's time; the workshop's epoch, where it is not the store's: its events were rewritten, or put
 * back; and whether the events were removed.
 */
export type HeadRow = [version: number, at: number, epoch?: string | null, removed?: boolean];

export interface Store extends Commits {
  readonly readOnly: boolean;
  /** Opaque; made with the store and kept, since nothing that was seen of this log can be lost but what is done on purpose. */
  readonly epoch: string;
  /** [workshopId, version] */
  readonly events: Database<EventRow, [number, number]>;
  /** Of every workshop that there ever was: read by `headOf` of `events.ts`. */
  readonly heads: Database<HeadRow, number>;
  /** The version of the last event that bears the mark. */
  readonly marks: Database<number, [workshopId: number, mark: string]>;
  readonly done: Database<
    [version: number, fingerprint: string, at: number],
    [workshopId: number, by: By, commandId: string]
  >;
  /** The keys of `done` by time, for forgetting them. */
  readonly doneAt: Database<true, [at: number, workshopId: number, by: By, commandId: string]>;
  /** Sequence from 1 → one append. Kept for good: one small entry, and a tail never meets a gap. */
  readonly feed: Database<[workshopId: number, from: number, to: number], number>;
  /** As a node has folded it. Missing in a store that is open for reading and was made by an older version. */
  readonly rooms:
    | Database<[version: number, epoch: string, eventId: string, room: string], number>
    | undefined;
  /** workshopId → when it wants to be looked at, and the version of the last append that woke it */
  readonly timers: Database<[at: number | null, woken: number], number>;
  readonly timersAt: Database<true, [at: number, workshopId: number]>;
  /** node → until when it lives, and the length of its last lease */
  readonly leases: Database<[until: number, ttlMs: number], string>;
  /** Whether the user is connected there, or awaited. */
  readonly holds: Database<boolean, [workshopId: number, userId: number, node: string]>;
  readonly holdsOf: Database<true, [node: string, workshopId: number, userId: number]>;
  /** Creations under an idempotency key, whose digest this is. */
  readonly requests: Database<
    [workshopId: number, fingerprint: string, at: number],
    [userId: number, digest: string]
  >;
  readonly requestsAt: Database<true, [at: number, userId: number, digest: string]>;
  /** `format`, `epoch`, `identity`, `lastId` (the last id that was given out), `ping`, and `note:…` (`notes.ts`). */
  readonly settings: Database<string | number, string>;
  /** Reads in one consistent and up-to-date view; `unavailable` where the store can't be read. */
  read<T>(read: () => T): Promise<T>;
}

/** Opens or creates the store in the folder `path`. Throws an Error that says what is wrong with it. */
export function openStore(path: string, readOnly: boolean): Store {
  if (readOnly && !existsSync(join(path, 'data.mdb'))) throw new Error(`there is no event log in ${path}`);
  const root = openRoot(path, readOnly);
  try {
    return storeIn(root, path, readOnly);
  } catch (error) {
    void root.close();
    throw error;
  }
}

function openRoot(path: string, readOnly: boolean): RootDatabase {
  try {
    checkHeader(join(path, 'data.mdb'));
    return open({
      path,
      readOnly,
      // Otherwise a folder whose name has a dot in it would be taken for a file.
      noSubdir: false,
      maxDbs: 32,
      // A commit is flushed before it is seen. With overlapping flushes a tail would hand out what a power cut can
      // still take back, and a client would be ahead of the log.
      overlappingSync: false,
      // Groups are made by `groupCommit`. lmdb-js' own ones leave a promise behind that nobody can catch when a commit
      // fails (3.5.6, seen with a full disk), which ends the process.
      eventTurnBatching: false,
    });
  } catch (error) {
    throw new Error(
      `the event log in ${path} cannot be opened: ${error instanceof Error ? error.message : error}`,
      { cause: error },
    );
  }
}

/** LMDB ends the whole process with a segmentation fault where the file is something else (3.5.6): looked at before. */
function checkHeader(file: string): void {
  if (!existsSync(file) || statSync(file).size === 0) return;
  const descriptor = openSync(file, 'r');
  try {
    const header = Buffer.alloc(magicAt + 4);
    readSync(descriptor, header, 0, header.length, 0);
    if (header.readUInt32LE(magicAt) !== magic) throw new Error(`${file} is not an LMDB file`);
  } finally {
    closeSync(descriptor);
  }
}

function storeIn(root: RootDatabase, path: string, readOnly: boolean): Store {
  // Undefined where the store is open for reading and lacks it; lmdb's types do not say so.
  const found = <V, K extends Key>(name: string): Database<V, K> | undefined => root.openDB<V, K>({ name });
  const sub = <V, K extends Key>(name: string): Database<V, K> => {
    const database = found<V, K>(name);
    if (database === undefined) throw new Error(`there is no event log in ${path}`);
    return database;
  };
  const settings: Store['settings'] = sub('settings');
  const format = settings.get('format');
  if (format === undefined && !readOnly)
    root.transactionSync(() => {
      void settings.put('format', formats.written);
      void settings.put('epoch', randomUUID());
    });
  else requireReadable(`the event log in ${path}`, format, formats);
  const commits = groupCommit(root);

  return {
    readOnly,
    epoch: String(settings.get('epoch')),
    events: sub('events'),
    heads: sub('heads'),
    marks: sub('marks'),
    done: sub('done'),
    doneAt: sub('done-at'),
    feed: sub('feed'),
    rooms: found('rooms'),
    timers: sub('timers'),
    timersAt: sub('timers-at'),
    leases: sub('leases'),
    holds: sub('holds'),
    holdsOf: sub('holds-of'),
    requests: sub('requests'),
    requestsAt: sub('requests-at'),
    settings,
    write: (write) =>
      readOnly
        ? Promise.reject(unavailable(new Error('the event log is open for reading')))
        : commits.write(write),
    onCommit: commits.onCommit,
    async read(read) {
      try {
        // What another process committed is seen from here on.
        if (readOnly) root.resetReadTxn();
        return read();
      } catch (error) {
        // An event that is spoilt, and not the store.
        if (error instanceof SyntaxError) throw error;
        throw unavailable(error);
      }
    },
    async close() {
      await commits.close();
      await root.close();
    },
  };
}

/**
 * A database as this log's own: what is asked of it comes through only while it is (`recognize.ts`), looked at again every few seconds,
 * since a server may be emptied, restored or exchanged under processes that run.
 *
 * ```
 *   unknown ──► own ──► refused: told once, everything that is asked of it rejects with the reason
 *      │                   ▲ │
 *      └───────────────────┘ └──► own again, once the other one is gone or the database was adopted
 * ```
 * That one of the two is away changes nothing of what is known.
 */
import { promised } from '../../src/timing/promised.ts';
import { backoffMs, pause } from '../../src/timing/retry.ts';
import { type Database, type DatabaseOptions, drizzleOn, sqlState } from '../database/database.ts';
import { DatabaseUnfit } from '../database/fitness.ts';
import { CopiedLog, type RecognizedLog, recognize, runLeaseMs, StrangerLog } from './recognize.ts';

export interface OwnDatabase extends Database {
  /** Resolves once it is known to be this log's, or can't be told for now; rejects with the reason where it is another's. */
  readonly recognized: Promise<void>;
}

export interface OwnDatabaseOptions extends DatabaseOptions {
  log: RecognizedLog;
  database: Database;
  /** How long a run counts as in use that is not heard of, in milliseconds; it is said three times as often. */
  leaseMs?: number;
}

export function ownDatabase(options: OwnDatabaseOptions): OwnDatabase {
  const { database } = options;
  const closing = new AbortController();
  const state = recognition(options, closing.signal);

  const ready = Promise.all([database.ready, state.own]).then(() => undefined);
  // Whoever closes before that has no use for the answer.
  ready.catch(() => undefined);
  return {
    ...gated(database, state.allowed),
    ...{ ready, recognized: state.recognized },
    async close() {
      closing.abort(new Error('the database was closed'));
      await database.close();
    },
  };
}

/** A database that is asked only what `allowed` lets through; it rejects with what that rejects with. */
export function gated(database: Database, allowed: () => Promise<void>): Database {
  function gate<A extends unknown[], T>(ask: (...given: A) => Promise<T>): (...given: A) => Promise<T> {
    return async (...given) => {
      await allowed();
      return ask(...given);
    };
  }

  const values = gate(database.values);
  return {
    ...{ ...database, values, drizzle: drizzleOn(values) },
    check: gate(database.check),
    query: gate(database.query),
    read: gate(database.read),
    copy: gate(database.copy),
  };
}

interface Recognition {
  /** Resolves once it is this log's for the first time. */
  own: Promise<void>;
  recognized: Promise<void>;
  /** Rejects where it is another log's, or that can't be told. */
  allowed(): Promise<void>;
}

/** Bounds of the pauses between two looks as long as nothing is known, in milliseconds. */
const unknown = { first: 200, most: 2_000 };

function recognition(
  { log, database, onError, leaseMs = runLeaseMs }: OwnDatabaseOptions,
  signal: AbortSignal,
): Recognition {
  let standing: 'unknown' | 'own' | DatabaseUnfit = 'unknown';
  let formerRun: string | undefined;
  let copiedSince: number | undefined;
  const own = promised<void>();
  const recognized = promised<void>();
  /** Looks in a row that told nothing. */
  let inVain = 0;
  /** The last look. */
  let look: Promise<void>;

  async function lookOnce(): Promise<void> {
    formerRun = await recognize({ log, database, formerRun, leaseMs });
    standing = 'own';
    copiedSince = undefined;
    own.resolve();
    recognized.resolve();
  }

  function failed(error: unknown): void {
    if (!(error instanceof StrangerLog || error instanceof CopiedLog)) {
      recognized.resolve();
      return;
    }
    // At a start the run that is in use may be that of a process that was killed a moment ago; later, one that another process saw
    // before this one.
    copiedSince ??= performance.now();
    const patienceMs = standing === 'unknown' ? 1.5 * leaseMs : 0.5 * leaseMs;
    const isPassing = error instanceof CopiedLog && performance.now() - copiedSince < patienceMs;
    if (isPassing && !(standing instanceof DatabaseUnfit)) return;
    const isNews = !(standing instanceof DatabaseUnfit);
    standing = error;
    recognized.reject(error);
    if (isNews) onError(error);
  }

  async function keepLooking(): Promise<void> {
    while (!signal.aborted) {
      look = lookOnce();
      await look.catch(failed);
      const waitMs = standing === 'unknown' ? backoffMs(++inVain, unknown) : leaseMs / 3;
      await pause(waitMs, signal).catch(() => undefined);
    }
    own.reject(signal.reason);
  }

  void keepLooking();
  return {
    own: own.promise,
    recognized: recognized.promise,
    async allowed() {
      if (standing === 'own') return;
      if (standing !== 'unknown') throw standing;
      try {
        await look;
      } catch (error) {
        // Before the first migration nobody is known; what is asked for says for itself what is missing.
        if (sqlState(error) !== '42P01') throw error;
      }
    },
  };
}

/**
 * Keeps the snapshots of workshops up beside the projector's commits: never in their way, one workshop after the other. What
 * fails is tried again, later each time; until then past rooms are folded from further back.
 */

import { reducer } from '../../src/domain/evolve.ts';
import { pause } from '../../src/timing/retry.ts';
import type { Database } from '../database/database.ts';
import { roomSnapshots } from './snapshots.ts';
import { type Histories, snapshotInterval, writeSnapshots } from './write.ts';

export interface KeptSnapshots {
  /** The tables hold the workshop up to that version. */
  reached(workshopId: number, version: number): void;
  /** Looks for workshops that lack snapshots, of those that `isOurs`: another process left them behind, or an older fold. */
  survey(isOurs: (workshopId: number) => boolean): void;
  /** Resolves when nothing is under way any more. */
  close(): Promise<void>;
}

export interface KeepingSnapshots {
  database: Database;
  histories: Histories;
  onError(error: unknown): void;
  interval?: number;
}

/** Workshops whose version is remembered, so that not each of their commits asks the database. */
const remembered = 10_000;

export function keepSnapshots(options: KeepingSnapshots): KeptSnapshots {
  const { database, histories, onError, interval = snapshotInterval } = options;
  const snapshots = roomSnapshots(database);
  const closing = new AbortController();
  const { signal } = closing;
  /** How many snapshots a workshop should have by now. */
  const wanted = new Map<number, number>();
  const due = new Set<number>();
  const failures = new Map<number, number>();
  const looking = new Set<Promise<void>>();
  let working: Promise<void> | undefined;

  function add(workshopId: number): void {
    due.add(workshopId);
    begin();
  }

  function begin(): void {
    if (signal.aborted || due.size === 0) return;
    working ??= work().finally(() => {
      working = undefined;
      begin();
    });
  }

  async function work(): Promise<void> {
    // The commit that it follows comes first.
    await pause(0, signal).catch(() => undefined);
    for (const workshopId of due) {
      if (signal.aborted) return;
      due.delete(workshopId);
      try {
        await writeSnapshots(workshopId, { histories, snapshots, interval, signal });
        failures.delete(workshopId);
      } catch (error) {
        later(workshopId, error);
      }
    }
  }

  function later(workshopId: number, error: unknown): void {
    if (signal.aborted) return;
    onError(error);
    const failed = (failures.get(workshopId) ?? 0) + 1;
    failures.set(workshopId, failed);
    track(pause(laterMs(failed), signal).then(() => add(workshopId)));
  }

  async function survey(isOurs: (workshopId: number) => boolean): Promise<void> {
    const rows = await database.query(
      `select w.id from workshops w where w.version >= $1::bigint and w.version - $1::bigint >= coalesce(
         (select max(s.version) from workshop_snapshots s where s.workshop_id = w.id and s.reducer = $2::integer), 0)`,
      [interval, reducer],
    );
    for (const row of rows) if (isOurs(Number(row.id))) add(Number(row.id));
  }

  function track(work: Promise<void>): void {
    const tracked = work.catch((error: unknown) => {
      if (!signal.aborted) onError(error);
    });
    looking.add(tracked);
    void tracked.finally(() => looking.delete(tracked));
  }

  return {
    reached(workshopId, version) {
      const count = Math.floor(version / interval);
      // It sinks where the log lost events.
      if (count === (wanted.get(workshopId) ?? 0)) return;
      if (wanted.size >= remembered) wanted.clear();
      wanted.set(workshopId, count);
      add(workshopId);
    },
    survey: (isOurs) => track(survey(isOurs)),
    async close() {
      closing.abort(new Error('the projector is closing'));
      await working;
      await Promise.all(looking);
    },
  };
}

/** Milliseconds before a workshop is tried again after so many failures: 1 s, 2 s, … 5 minutes. */
function laterMs(failures: number): number {
  return Math.min(300_000, 500 * 2 ** failures);
}

/** Folding what the feed of a partition brings, with the states of its workshops cached from batch to batch. */
import type { FeedEntry } from '../../src/log/log.ts';
import { retrying } from '../../src/timing/retry.ts';
import type { Database } from '../database/database.ts';
import { type Changes, type Folding, folding, noChanges } from '../fold/folding.ts';
import { loadStates, type WorkshopState } from '../fold/state.ts';
import type { States } from './states.ts';

export interface Batches {
  /** Folds what the entries add to the states. What does not follow on its state, or does not fold, is left out. */
  fold(entries: readonly FeedEntry[]): Promise<{ changes: Changes; toRepair: Set<number> }>;
  /** The workshop's tables were written by someone else: its state is read from them when it is needed again. */
  forget(workshopId: number): void;
  forgetAll(): void;
}

export interface BatchOptions {
  database: Database;
  states: States;
  /** Workshops that wait for repair: their entries are passed over. */
  parked: ReadonlySet<number>;
  /** Versions that were given up: an entry with one of them is left to the repair, which leaves the event out. */
  skipped(): ReadonlyMap<number, readonly number[]>;
  /** Resolves once the tables are as far as the states. */
  settled(): Promise<unknown>;
  signal: AbortSignal;
  onError(error: unknown): void;
}

export function batches({ database, states, parked, skipped, settled, ...trying }: BatchOptions): Batches {
  /** The states of these workshops. Those that are let go of meanwhile are read again after the commit that is under way. */
  async function load(workshopIds: Set<number>): Promise<Map<number, WorkshopState>> {
    const wanted = [...workshopIds].filter((id) => !parked.has(id));
    if (wanted.some((id) => !states.has(id))) await settled();
    const found = new Map<number, WorkshopState>();
    for (const id of wanted) {
      const state = states.get(id);
      if (state !== undefined) found.set(id, state);
    }
    const missing = wanted.filter((id) => !found.has(id));
    if (missing.length === 0) return found;
    const loaded = await retrying(() => loadStates(database, missing), trying);
    return new Map([...found, ...loaded]);
  }

  function isGivenUp({ workshopId, to }: FeedEntry, { room }: WorkshopState): boolean {
    return (
      skipped()
        .get(workshopId)
        ?.some((version) => version > room.version && version <= to) ?? false
    );
  }

  return {
    async fold(entries) {
      const here = await load(new Set(entries.map((entry) => entry.workshopId)));
      const toRepair = new Set<number>();
      const folds = new Map<number, Folding>();
      for (const entry of entries) {
        const { workshopId } = entry;
        const state = here.get(workshopId);
        if (state === undefined || toRepair.has(workshopId) || parked.has(workshopId)) continue;
        try {
          if (isGivenUp(entry, state) || !foldEntry(state, entry, folds)) toRepair.add(workshopId);
        } catch {
          // What exactly is wrong comes out when it is folded by itself.
          toRepair.add(workshopId);
        }
        if (toRepair.has(workshopId)) {
          here.delete(workshopId);
          states.delete(workshopId);
          folds.delete(workshopId);
        }
      }
      for (const [id, state] of here) states.set(id, state);
      const changes = noChanges();
      for (const each of folds.values()) each.addTo(changes);
      return { changes, toRepair };
    },
    forget: (workshopId) => states.delete(workshopId),
    forgetAll: () => states.clear(),
  };
}

/** False where the entry does not follow on the state: events are missing between them, or the epoch is another. */
function foldEntry(state: WorkshopState, entry: FeedEntry, folds: Map<number, Folding>): boolean {
  const { room } = state;
  if (entry.epoch !== state.epoch && room.version > 0) return false;
  if (entry.to <= room.version) return true;
  if (entry.from > room.version + 1) return false;
  let fold = folds.get(entry.workshopId);
  if (fold === undefined) {
    fold = folding(state, entry.epoch);
    folds.set(entry.workshopId, fold);
  }
  if (state.epoch === '') state.epoch = entry.epoch;
  for (const event of entry.events()) if (event.version > room.version) fold.add(event);
  return true;
}

/** Entries in runs of `most` events or a little more. */
export function chunksOf(entries: readonly FeedEntry[], most: number): FeedEntry[][] {
  const chunks: FeedEntry[][] = [];
  let chunk: FeedEntry[] = [];
  let events = 0;
  for (const entry of entries) {
    chunk.push(entry);
    events += entry.to - entry.from + 1;
    if (events < most) continue;
    chunks.push(chunk);
    chunk = [];
    events = 0;
  }
  if (chunk.length > 0) chunks.push(chunk);
  return chunks;
}

/** When an entry was appended, milliseconds since 1970; undefined where it can't be decoded. */
export function timeOf(entry: FeedEntry | undefined): number | undefined {
  try {
    return entry?.events()[0]?.at;
  } catch {
    // Whoever folds it finds out, and says so.
    return undefined;
  }
}

/** Folding what the feed of a partition brings, with the states of its workshops kept from batch to batch. */
import type { FeedEntry } from '../src/log/log.ts';
import type { Database } from './database.ts';
import { type Changes, type Folding, folding, noChanges } from './fold.ts';
import { retrying } from './retry.ts';
import { loadStates, type WorkshopState } from './state.ts';

/** Workshops whose state is kept between batches. */
const statesKept = 2_000;

export interface Batches {
  /** Folds what the entries add to the states. What can't be folded this way is `odd`, and left out. */
  fold(entries: readonly FeedEntry[]): Promise<{ changes: Changes; odd: Set<number> }>;
  /** The workshop's tables were written by someone else: its state is read from them when it is needed again. */
  forget(workshopId: number): void;
  forgetAll(): void;
}

export interface BatchOptions {
  database: Database;
  /** Workshops that wait for repair: their entries are passed over. */
  parked: ReadonlySet<number>;
  /** Versions that were given up: an entry with one of them is odd, since the repair leaves the event out. */
  skipped(): ReadonlyMap<number, readonly number[]>;
  /** Resolves once the tables are as far as the states. */
  settled(): Promise<unknown>;
  signal: AbortSignal;
  onError(error: unknown): void;
}

export function batches({ database, parked, skipped, settled, ...trying }: BatchOptions): Batches {
  const states = new Map<number, WorkshopState>();

  async function load(workshopIds: Set<number>): Promise<void> {
    const isMissing = (id: number) => !states.has(id) && !parked.has(id);
    if (![...workshopIds].some(isMissing)) return;
    await settled();
    for (const id of states.keys()) {
      if (states.size < statesKept) break;
      if (!workshopIds.has(id)) states.delete(id);
    }
    const missing = [...workshopIds].filter(isMissing);
    const loaded = await retrying(() => loadStates(database, missing), trying);
    for (const [id, state] of loaded) states.set(id, state);
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
      await load(new Set(entries.map((entry) => entry.workshopId)));
      const odd = new Set<number>();
      const folds = new Map<number, Folding>();
      for (const entry of entries) {
        const { workshopId } = entry;
        const state = states.get(workshopId);
        if (state === undefined || odd.has(workshopId) || parked.has(workshopId)) continue;
        try {
          if (isGivenUp(entry, state) || !foldEntry(state, entry, folds)) odd.add(workshopId);
        } catch {
          // What exactly is wrong comes out when it is folded by itself.
          odd.add(workshopId);
        }
        if (odd.has(workshopId)) {
          states.delete(workshopId);
          folds.delete(workshopId);
        }
      }
      const changes = noChanges();
      for (const each of folds.values()) each.addTo(changes);
      return { changes, odd };
    },
    forget: (workshopId) => void states.delete(workshopId),
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

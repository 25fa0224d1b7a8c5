/**
 * The states of workshops between batches, for all partitions of a projector together: those that are used stay, as many as are
 * not too heavy; the others are in the tables, and are read from there when they are needed again.
 */
import { LRUCache } from 'lru-cache';
import { isOver, roomWeight } from '../../src/domain/room.ts';
import { heapShare } from '../../src/memory/heapShare.ts';
import type { WorkshopState } from '../fold/state.ts';

/** Those of one partition. */
export interface States {
  has(workshopId: number): boolean;
  get(workshopId: number): WorkshopState | undefined;
  /** It is weighed as it is now. A workshop that is over is not kept. */
  set(workshopId: number, state: WorkshopState): void;
  delete(workshopId: number): void;
  clear(): void;
}

export interface AllStates {
  of(partition: number): States;
  readonly size: number;
}

interface Kept {
  partition: number;
  state: WorkshopState;
}

/** A person's attendance, roughly, in bytes. */
const attendanceWeight = 200;

/** `most` is what they may weigh together, in bytes. */
export function keptStates(most = heapShare(1 / 16)): AllStates {
  const kept = new LRUCache<number, Kept>({
    maxSize: most,
    sizeCalculation: ({ state: { room, attendances } }) =>
      roomWeight(room) + attendanceWeight * attendances.size,
  });
  return {
    of: (partition) => ({
      has: (workshopId) => kept.has(workshopId),
      get: (workshopId) => kept.get(workshopId)?.state,
      set(workshopId, state) {
        if (isOver(state.room)) kept.delete(workshopId);
        else kept.set(workshopId, { partition, state });
      },
      delete: (workshopId) => void kept.delete(workshopId),
      clear() {
        for (const [workshopId, each] of [...kept.entries()])
          if (each.partition === partition) kept.delete(workshopId);
      },
    }),
    get size() {
      return kept.size;
    },
  };
}

/** How much memory a cache may take: a share of the heap that this process was started with, whatever the machine has. */
import { getHeapStatistics } from 'node:v8';

/** In bytes. */
export function heapShare(share: number): number {
  return Math.floor(getHeapStatistics().heap_size_limit * share);
}

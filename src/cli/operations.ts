/**
 * What the command line asks of the projections, however it reaches them (`openOperations.ts`), and how it watches projectors at
 * it. They do it by themselves: who stops watching stops nothing.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ErasureProgress, ErasureRequest } from '../../projections/erasing/request.ts';
import type { Adoption } from '../../projections/logIdentity/adopt.ts';
import type { Reported } from '../../projections/verify/findings.ts';
import type { ProjectionStatus } from '../../projections/worker/status.ts';
import type { ReplayReport } from '../history/checkReplay.ts';
import { CommandFailed } from './command.ts';

export interface Operations {
  status(): Promise<ProjectionStatus>;
  /** `parked`: it is parked again. */
  retry(workshopId: number): Promise<{ parked: boolean }>;
  skip(wish: { workshopId: number; version: number; by: string }): Promise<{ parked: boolean }>;
  /** Resolves when every workshop was folded anew; tells the share that is done meanwhile. */
  rebuild(onProgress: (share: number) => void): Promise<{ partitions: number }>;
  /** As `verify` of the projections: findings and progress, then the summary. */
  verify(workshopId: number | undefined): AsyncIterable<Reported>;
  /** As `checkReplay` of the history. */
  checkReplay(): AsyncIterable<ReplayReport>;
  /** Resolves when the person is forgotten everywhere; tells the share that is done meanwhile. */
  erase(wish: ErasureRequest, onProgress: (share: number) => void): Promise<Erasure>;
  /** Makes the database the one of this log, whoever's it was. */
  adopt(): Promise<Adoption>;
  close(): Promise<void>;
}

/** What was done: `workshops` are those in which anything was ever taken away, the rest is of this time. */
export type Erasure = Omit<ErasureProgress, 'left'>;

/** Between two looks. The status asks the log for every open workshop. */
const [statusMs, erasureMs] = [1_000, 250];

/** Resolves when every workshop was folded anew; tells the share that is done meanwhile. */
export async function watchRebuild(
  status: () => Promise<ProjectionStatus>,
  onProgress: (share: number) => void,
): Promise<void> {
  const isStalled = stalling();
  for (;;) {
    const { partitions } = await status();
    const shares = partitions.map(({ rebuildRequested, rebuilt }) => {
      if (!rebuildRequested) return 1;
      return rebuilt === null || rebuilt.total === 0 ? 0 : rebuilt.done / rebuilt.total;
    });
    onProgress(shares.reduce((sum, share) => sum + share, 0) / Math.max(1, shares.length));
    const waiting = partitions.filter(({ rebuildRequested }) => rebuildRequested);
    if (waiting.length === 0) return;
    // Whoever has a partition says so every two seconds, also where one workshop takes minutes.
    if (isStalled(JSON.stringify([shares, waiting.map(({ leaseUntil }) => leaseUntil)])))
      throw new CommandFailed(
        'no projector goes on with it: is one running? What is left is folded once one does',
      );
    await sleep(statusMs);
  }
}

export interface WatchedErasure {
  progress(): Promise<ErasureProgress>;
  request(): Promise<unknown>;
  onProgress(share: number): void;
}

export async function watchErasure({ progress, request, onProgress }: WatchedErasure): Promise<Erasure> {
  const before = await progress();
  await request();
  const isStalled = stalling();
  let most = 0;
  for (;;) {
    const { left, workshops, events, messages } = await progress();
    most = Math.max(most, left);
    onProgress(most === 0 ? 1 : 1 - left / most);
    if (left === 0)
      return { workshops, events: events - before.events, messages: messages - before.messages };
    if (isStalled(String(left)))
      throw new CommandFailed(
        `no projector goes on with it: is one running? ${left} workshops are left, and are looked at once one does`,
      );
    await sleep(erasureMs);
  }
}

/** What nobody takes up for so long has no projector. */
const patienceMs = 30_000;

/** Told what there is to see at each look: whether it has been the same for too long. */
function stalling(): (seen: string) => boolean {
  let last: string | undefined;
  let since = 0;
  return (seen) => {
    if (seen !== last) since = performance.now();
    last = seen;
    return performance.now() - since > patienceMs;
  };
}

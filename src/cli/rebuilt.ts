/** Watching projectors at a rebuild. They do it by themselves: who stops watching stops nothing. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProjectionStatus } from '../../projections/status.ts';
import { CommandFailed } from './command.ts';

/** The status asks the log for every open workshop. */
const lookMs = 1_000;
/** A partition that nobody takes up for so long has no projector. */
const patienceMs = 30_000;

/** Resolves when every workshop was folded anew; tells the share that is done meanwhile. */
export async function rebuilt(
  status: () => Promise<ProjectionStatus>,
  onProgress: (share: number) => void,
): Promise<void> {
  let seen = '';
  let since = performance.now();
  for (;;) {
    const { partitions } = await status();
    const shares = partitions.map(({ rebuildRequested, rebuilt }) => {
      if (!rebuildRequested) return 1;
      return rebuilt === null || rebuilt.total === 0 ? 0 : rebuilt.done / rebuilt.total;
    });
    onProgress(shares.reduce((sum, share) => sum + share, 0) / Math.max(1, shares.length));
    if (partitions.every(({ rebuildRequested }) => !rebuildRequested)) return;
    // Whoever has a partition says so every two seconds, also where one workshop takes minutes.
    const waiting = partitions.filter(({ rebuildRequested }) => rebuildRequested);
    const now = JSON.stringify([shares, waiting.map(({ leaseUntil }) => leaseUntil)]);
    if (now !== seen) since = performance.now();
    else if (performance.now() - since > patienceMs)
      throw new CommandFailed(
        'no projector goes on with it: is one running? What is left is folded once one does',
      );
    seen = now;
    await sleep(lookMs);
  }
}

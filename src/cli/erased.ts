/** Watching projectors as they have a person forgotten. They do it by themselves: who stops watching stops nothing. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ErasureProgress } from '../../projections/erasing/request.ts';
import { CommandFailed } from './command.ts';
import type { Erasure } from './operations.ts';

const lookMs = 250;
/** What nobody takes up for so long has no projector. */
const patienceMs = 30_000;

export interface Watching {
  progress(): Promise<ErasureProgress>;
  request(): Promise<unknown>;
  onProgress(share: number): void;
}

export async function erased({ progress, request, onProgress }: Watching): Promise<Erasure> {
  const before = await progress();
  await request();
  let most = 0;
  let seen = Number.NaN;
  let since = performance.now();
  for (;;) {
    const { left, workshops, events, messages } = await progress();
    most = Math.max(most, left);
    onProgress(most === 0 ? 1 : 1 - left / most);
    if (left === 0)
      return { workshops, events: events - before.events, messages: messages - before.messages };
    if (left !== seen) since = performance.now();
    else if (performance.now() - since > patienceMs)
      throw new CommandFailed(
        `no projector goes on with it: is one running? ${left} workshops are left, and are looked at once one does`,
      );
    seen = left;
    await sleep(lookMs);
  }
}

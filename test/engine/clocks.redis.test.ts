/** Clocks that are set while a node runs: the machine's time of day, and Redis' own. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { workshopEngine } from '../../src/engine/engine.ts';
import { sharedRedis } from '../kit/shared.ts';
import { until } from '../kit/until.ts';
import { codeOf, liveWorkshop, type Node, ok, send, startNode, user } from './nodes.ts';

let node: Node;
let workshopId: number;
beforeEach(async () => {
  node = await startNode(await sharedRedis(), 'a');
  workshopId = await liveWorkshop(node, [2]);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await node.close();
});

const say = (message: string) => send(node, workshopId, user(2), 'chat', { message });

it('[F33] the time of day of a node may be set back or forth: no command is refused for it', async () => {
  const { now } = Date;
  for (const shift of [-5_000, 60_000]) {
    vi.spyOn(Date, 'now').mockImplementation(() => now() + shift);
    await ok(say(`at ${shift}`));
  }
});

it('[F33] where Redis is ahead of what was measured, as after a sleep of the machine, it is measured anew at once', async () => {
  const { now } = performance;
  vi.spyOn(performance, 'now').mockImplementation(() => now.call(performance) - 5_000);
  // Measured every ten seconds otherwise.
  await until(async () => (await codeOf(say('awake'))) === 'changed', {
    what: 'a command to be taken',
    timeout: 2_000,
  });
});

it('[F33] an append that came too late is not tried again and again at once', async () => {
  const { log } = node;
  let appends = 0;
  const engine = workshopEngine({
    node: 'late',
    log: {
      ...log,
      events: {
        ...log.events,
        async append() {
          appends++;
          return { kind: 'late' };
        },
      },
    },
  });
  const answer = codeOf(send({ engine }, workshopId, user(2), 'chat', { message: 'late' }));
  await sleep(300);
  // A pause of ten to thirty milliseconds lies between two of them.
  expect(appends).toBeGreaterThan(1);
  expect(appends).toBeLessThanOrEqual(30);
  expect(await answer).toBe('unavailable');
  await engine.close();
});

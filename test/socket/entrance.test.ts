/** When those who come into a room are let in. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { type Entrance, entranceOf } from '../../src/lib/socket/entrance.ts';
import { until } from '../kit/until.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

let opened: Entrance[] = [];
afterEach(() => {
  for (const each of opened) each.close();
  opened = [];
});

/** Lets `atOnce` of those in who wait, and notes how many they were. */
function entrance(atOnce = Number.POSITIVE_INFINITY) {
  const letIn: number[] = [];
  let waiting = 0;
  const made = entranceOf(() => {
    const some = Math.min(waiting, atOnce);
    waiting -= some;
    letIn.push(some);
    return waiting > 0;
  });
  opened.push(made);
  const come = (people: number) => {
    for (let n = 0; n < people; n++) {
      waiting++;
      made.entered();
    }
  };
  return { come, letIn, isCrowded: made.isCrowded };
}

describe('an entrance', () => {
  it('lets those of one turn in together, at once', async () => {
    const { come, letIn, isCrowded } = entrance();
    come(3);
    await turn();
    come(2);
    await turn();
    expect([letIn, isCrowded()]).toEqual([[3, 2], false]);
  });

  it('[M26] keeps a crowd until no more come, and lets some in each turn', async () => {
    const { come, letIn, isCrowded } = entrance(60);
    come(100);
    await sleep(60);
    come(50);
    await turn();
    expect([letIn, isCrowded()]).toEqual([[], true]);
    await until(() => !isCrowded(), { what: 'the crowd to be in' });
    expect(letIn).toEqual([60, 60, 30]);
    come(1);
    await turn();
    expect(letIn).toEqual([60, 60, 30, 1]);
  });

  it('[M26] keeps nobody much longer than a second, however many more come', async () => {
    const { come, letIn } = entrance();
    const began = performance.now();
    come(100);
    while (letIn.length === 0) {
      await sleep(20);
      come(1);
      if (performance.now() - began > 5_000) expect.fail('nobody was let in');
    }
    expect(performance.now() - began).toBeGreaterThan(900);
  });

  it('lets nobody in once it is closed', async () => {
    const { come, letIn } = entrance();
    come(1);
    opened[0]?.close();
    await turn();
    come(100);
    await sleep(200);
    expect(letIn).toEqual([]);
  });
});

/** One time for each workshop. */
import { expect, test } from 'vitest';
import { until } from '../../kit/until.ts';
import type { Stage } from '../contract.ts';
import { command, fill, sent } from '../drafts.ts';

const workshopId = 51;

export function timerTests(stage: Stage): void {
  test('a workshop is due when its time has come, and until it is set anew', async () => {
    const { log } = stage;
    await log.timers.set(workshopId, log.now() - 5_000, 0);
    await log.timers.set(52, log.now() + 60_000, 0);
    expect(await log.timers.claim(10, 0)).toEqual([workshopId]);
    expect(await log.timers.claim(10, 0)).toEqual([workshopId]);
    await log.timers.set(workshopId, log.now() + 60_000, 0);
    expect(await log.timers.claim(10, 0)).toEqual([]);
  });

  test('[C9] what one node has claimed no other is given, until the time is over or an append wakes it', async () => {
    const { log } = stage;
    const other = await stage.second();
    const ids = Array.from({ length: 200 }, (_, n) => 1_000 + n);
    for (const id of ids) await log.timers.set(id, log.now() - 5_000, 0);
    const claims = await Promise.all(
      Array.from({ length: 10 }, (_, n) => (n % 2 ? log : other).timers.claim(30, 60_000)),
    );
    expect(claims.flat().sort((a, b) => a - b)).toEqual(ids);
    expect(await other.timers.claim(10, 0)).toEqual([]);
    await sent(log, { workshopId: 1_007, wakes: true }, command());
    await until(async () => (await other.timers.claim(10, 0)).includes(1_007), { what: 'it to be due' });
    await log.timers.set(1_007, null, 1);
    await log.timers.set(1_008, log.now() - 5_000, 0);
    expect(await log.timers.claim(10, 50)).toEqual([1_008]);
    expect(await other.timers.claim(10, 50)).toEqual([]);
    await until(async () => (await other.timers.claim(10, 0)).includes(1_008), { what: 'the claim to end' });
  });

  test('a timer that is dropped is not due any more', async () => {
    const { log } = stage;
    await log.timers.set(workshopId, log.now() - 5_000, 0);
    await log.timers.set(workshopId, null, 0);
    expect(await log.timers.claim(10, 0)).toEqual([]);
  });

  test('no more than asked for are due at once', async () => {
    const { log } = stage;
    for (const id of [1, 2, 3, 4, 5]) await log.timers.set(id, log.now() - 5_000, 0);
    expect(await log.timers.claim(3, 0)).toHaveLength(3);
    expect((await log.timers.claim(10, 0)).sort()).toEqual([1, 2, 3, 4, 5]);
  });

  test('an append that wakes makes its workshop due, one that does not leaves it', async () => {
    const { log } = stage;
    await sent(log, { workshopId: 52 }, command());
    await sent(log, { workshopId, wakes: true }, command());
    await until(async () => (await log.timers.claim(10, 0)).length > 0, { what: 'the timer to be due' });
    expect(await log.timers.claim(10, 0)).toEqual([workshopId]);
  });

  test('setting is ignored where an event after the given version woke the workshop', async () => {
    const { log } = stage;
    await fill(log, workshopId, 2);
    await sent(log, { workshopId, base: 2, wakes: true }, command(), command());
    await until(async () => (await log.timers.claim(10, 0)).length > 0, { what: 'the timer to be due' });
    await log.timers.set(workshopId, log.now() + 60_000, 2);
    await log.timers.set(workshopId, null, 3);
    expect(await log.timers.claim(10, 0)).toEqual([workshopId]);
    await log.timers.set(workshopId, null, 4);
    expect(await log.timers.claim(10, 0)).toEqual([]);
  });

  test('events that did not wake it do not keep a timer from being set', async () => {
    const { log } = stage;
    await sent(log, { workshopId, wakes: true }, command());
    await fill(log, workshopId, 3);
    await log.timers.set(workshopId, null, 1);
    expect(await log.timers.claim(10, 0)).toEqual([]);
  });
}

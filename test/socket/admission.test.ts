/** How joins are let in when many come together. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { admission, type Turn } from '../../src/lib/socket/admission.ts';

const settings = { atOnce: 2, patienceMs: 10_000, placeMs: 10_000 };
const isIn = (turn: Turn): turn is Extract<Turn, { ok: true }> => turn.ok;

describe('admission', () => {
  it('[M22] lets so many in at once, and the others in the order of coming', async () => {
    const { enter } = admission(settings);
    const order: number[] = [];
    const turns = Array.from({ length: 5 }, async (_, n) => {
      const turn = await enter();
      order.push(n);
      return turn;
    });
    await sleep(5);
    expect(order).toEqual([0, 1]);
    for (let n = 0; n < 3; n++) {
      const turn = (await turns[n]) as Turn;
      if (!isIn(turn)) return expect.fail('it was sent away');
      turn.done();
      // Saying it twice lets nobody in.
      turn.done();
      await sleep(1);
      expect(order).toEqual(Array.from({ length: n + 3 }, (_, index) => index));
    }
  });

  it('[M22] sends away who waited too long, with different times to come back', async () => {
    const { enter } = admission({ ...settings, patienceMs: 50 });
    const inside = [await enter(), await enter()];
    expect(inside.every(isIn)).toBe(true);
    const waiting = await Promise.all(Array.from({ length: 50 }, () => enter()));
    const waits = waiting.map((turn) => (turn.ok ? 0 : turn.retryAfterMs));
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(1_000);
    expect(Math.max(...waits) - Math.min(...waits)).toBeGreaterThan(500);
    // The line is empty again, and its places are free for who comes now.
    for (const turn of inside) if (turn.ok) turn.done();
    expect(await enter()).toMatchObject({ ok: true });
  });

  it('[M22] sends away at once who would wait too long at the pace of late', async () => {
    const { enter } = admission({ ...settings, atOnce: 1, patienceMs: 500 });
    const answers: Promise<Turn>[] = [];
    const work = async (entering: Promise<Turn>) => {
      const turn = await entering;
      await sleep(40);
      if (turn.ok) turn.done();
    };
    // More than half a second's worth of work, of which the pace is known after some of it.
    const first = Array.from({ length: 10 }, () => work(enter()));
    await first[6];
    const began = performance.now();
    for (let n = 0; n < 60; n++) answers.push(enter());
    const last = await (answers.at(-1) as Promise<Turn>);
    expect(last.ok).toBe(false);
    expect(performance.now() - began).toBeLessThan(400);
    for (const answer of answers.slice(0, -1)) void answer.then((turn) => turn.ok && turn.done());
    await Promise.all(first);
  });

  it('[M22] gives the place of one that hangs to the next', async () => {
    const { enter } = admission({ ...settings, placeMs: 30 });
    await Promise.all([enter(), enter()]);
    expect(await enter()).toMatchObject({ ok: true });
  });

  it('[M22] waits for ever where patience has no end', async () => {
    const { enter } = admission({ ...settings, atOnce: 1, patienceMs: Number.POSITIVE_INFINITY });
    const first = await enter();
    const second = enter();
    await sleep(20);
    if (first.ok) first.done();
    expect(await second).toMatchObject({ ok: true });
  });
});

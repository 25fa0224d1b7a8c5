/** Giving out workshop ids. */
import { expect, test } from 'vitest';
import type { Stage } from '../contract.ts';

export function idTests(stage: Stage): void {
  test('ids are given out once, also at once and by two nodes', async () => {
    const logs = [stage.log, await stage.second()];
    const given = await Promise.all(
      Array.from({ length: 40 }, (_, index) => logs[index % 2]?.ids.allocate()),
    );
    expect(new Set(given.map((each) => each?.workshopId)).size).toBe(40);
  });

  test('the same user gets the same id for the same key, with the fingerprint of the first call', async () => {
    const { log } = stage;
    const key = 'a key: "of the client"';
    const first = await log.ids.allocate({ userId: 7, key, fingerprint: 'one' });
    expect(first.fingerprint).toBe('one');
    expect(await log.ids.allocate({ userId: 7, key, fingerprint: 'two' })).toEqual(first);
    const others = [
      await log.ids.allocate({ userId: 8, key, fingerprint: 'one' }),
      await log.ids.allocate({ userId: 7, key: `${key}!`, fingerprint: 'one' }),
      await log.ids.allocate(),
    ];
    expect(new Set([first, ...others].map(({ workshopId }) => workshopId)).size).toBe(4);
  });

  test('calls with one key at the same time get one id', async () => {
    const logs = [stage.log, await stage.second()];
    const request = { userId: 7, key: 'k', fingerprint: 'f' };
    const given = await Promise.all(
      Array.from({ length: 10 }, (_, index) => logs[index % 2]?.ids.allocate(request)),
    );
    expect(new Set(given.map((each) => each?.workshopId)).size).toBe(1);
  });

  test('after raising, ids are above that; raising lower changes nothing', async () => {
    const { log } = stage;
    await log.ids.raise(1_000);
    expect((await log.ids.allocate()).workshopId).toBeGreaterThan(1_000);
    const { workshopId } = await log.ids.allocate();
    await log.ids.raise(10);
    expect((await log.ids.allocate()).workshopId).toBeGreaterThan(workshopId);
  });
}

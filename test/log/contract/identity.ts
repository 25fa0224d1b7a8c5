/** What tells a log from every other. */
import { expect, test } from 'vitest';
import type { Stage } from '../contract.ts';

export function identityTests(stage: Stage): void {
  test('a fresh log has none, and keeps the first that it is given', async () => {
    const [one, other] = [stage.log.identity, (await stage.second()).identity];
    expect((await one.read()).identity).toBeNull();
    const claimed = await Promise.all([one.claim('a'), other.claim('b')]);
    const [first] = claimed.map(({ identity }) => identity);
    expect(claimed.map(({ identity }) => identity)).toEqual([first, first]);
    expect((await other.read()).identity).toBe(first);
    expect((await other.change('c')).identity).toBe('c');
    expect(await one.claim('a')).toEqual(await one.read());
    expect((await one.read()).identity).toBe('c');
  });
}

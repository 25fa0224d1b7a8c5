/** Notes beside the log. */
import { expect, test } from 'vitest';
import type { Stage } from '../contract.ts';

export function noteTests(stage: Stage): void {
  test('notes are kept as they are, and are seen by every node', async () => {
    const [one, other] = [stage.log.notes, (await stage.second()).notes];
    expect(await one.all()).toEqual(new Map());
    await one.put(
      new Map([
        ['a', 'first'],
        ['b', '{"ü": "\\n"}'],
      ]),
    );
    await other.put(
      new Map<string, string | null>([
        ['a', null],
        ['c', 'third'],
        ['d', null],
      ]),
    );
    expect(await one.all()).toEqual(
      new Map([
        ['b', '{"ü": "\\n"}'],
        ['c', 'third'],
      ]),
    );
    await one.put(new Map());
    expect((await other.all()).size).toBe(2);
  });
}

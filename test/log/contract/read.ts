/** Reading what was written: pages, unknown workshops, values that are hard to carry. */
import { expect, test } from 'vitest';
import { readAll } from '../../../src/log/log.ts';
import type { Stage } from '../contract.ts';
import { command, draft, fill, sent, versions } from '../drafts.ts';

const workshopId = 31;

export function readTests(stage: Stage): void {
  test('a page begins after the given version and ends at its limit', async () => {
    const { log } = stage;
    await fill(log, workshopId, 10);
    expect(versions(await log.events.read(workshopId, 3, 4))).toEqual([4, 5, 6, 7]);
    expect(versions(await log.events.read(workshopId, 8, 4))).toEqual([9, 10]);
    expect(await log.events.read(workshopId, 10, 4)).toEqual([]);
  });

  test('page after page gives every event once', async () => {
    const { log } = stage;
    await fill(log, workshopId, 23);
    const read: number[] = [];
    for await (const page of readAll(log.events, workshopId, 2, 5)) read.push(...versions(page));
    expect(read).toEqual(Array.from({ length: 21 }, (_, index) => index + 3));
  });

  test('of a workshop that it does not know the log says nothing', async () => {
    const { log } = stage;
    await fill(log, workshopId, 1);
    expect(await log.events.head(99)).toBeNull();
    expect(await log.events.read(99, 0, 10)).toEqual([]);
    expect(await log.commands.check(99, 0, 7, 'x')).toMatchObject({ version: 0, done: null, missing: [] });
  });

  test('the open workshops of all partitions are listed with their versions', async () => {
    const { log } = stage;
    for (const id of [1, 2, 3, 1_000]) await fill(log, id, id % 7);
    const all = new Map<number, number>();
    for (let partition = 0; partition < log.partitions; partition += 1) {
      for (const [id, version] of await log.streams.open(partition)) {
        expect(log.partitionOf(id)).toBe(partition);
        all.set(id, version);
      }
    }
    expect([...all].sort(([a], [b]) => a - b)).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
      [1_000, 6],
    ]);
  });

  test('ids as high as a number can count are kept exactly', async () => {
    const { log } = stage;
    const by = Number.MAX_SAFE_INTEGER;
    const highest = 2 ** 45 + 1;
    const events = [draft([`user:${by}`])];
    const one = command({ by, remember: true, events });
    await sent(log, { workshopId: highest }, one);
    expect(await log.events.read(highest, 0, 10)).toMatchObject([{ version: 1, by }]);
    const other = await log.commands.check(highest, 1, by - 1, one.commandId);
    const same = await log.commands.check(highest, 1, by, one.commandId);
    expect([other.done, same.done?.version]).toEqual([null, 1]);
  });

  test('data comes back as it was given, whatever characters and numbers it holds', async () => {
    const { log } = stage;
    const data = {
      control: Array.from({ length: 33 }, (_, code) => String.fromCharCode(code)).join(''),
      quotes: `"'\\/;:,{}[]<>&%$#!`,
      lines: 'a\r\nb\u2028c\u2029d\u0085e\u007f',
      faces: '\u{1f600}\u{1f468}\u200d\u{1f469}\u200d\u{1f467} é e\u0301 \ufeff\ufffd\uffff',
      lone: '\ud800 and \udfff',
      numbers: [0, -1, 1.5e-7, 1e21, Number.MAX_SAFE_INTEGER],
      nested: { empty: '', none: null, list: [[], {}], yes: true },
      long: 'ü'.repeat(20_000),
    };
    const event = { ...draft([], data), type: 'user-removed', schema: 3 };
    await sent(log, { workshopId }, command({ commandId: 'id with a space', events: [event] }));
    expect(await log.events.read(workshopId, 0, 1)).toEqual([
      {
        version: 1,
        at: expect.any(Number),
        eventId: event.eventId,
        type: 'user-removed',
        schema: 3,
        by: 7,
        commandId: 'id with a space',
        data,
      },
    ]);
  });

  test('it says that it can be written to', async () => {
    await expect(stage.log.ping()).resolves.toBeUndefined();
  });
}

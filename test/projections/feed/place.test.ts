/** Cursors of the feed: what they hold, and what is none. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { beginning, cursorOf, placeAt } from '../../../projections/feed/place.ts';

const origin = { identity: 'a log', generation: 'first', partitions: 64 };
const whole = fc.oneof(fc.nat(), fc.nat(Number.MAX_SAFE_INTEGER), fc.constant(Number.MAX_SAFE_INTEGER));

it('[N4] a cursor leads back to the place that it was made of', () => {
  const place = fc.record({
    positions: fc.array(whole, { minLength: 64, maxLength: 64 }),
    partition: fc.nat(63),
    version: whole,
  });
  fc.assert(
    fc.property(place, (given) => {
      expect(placeAt(cursorOf(given, origin), origin)).toEqual(given);
    }),
  );
});

it('[N4] one whose positions are not counted any more leads to the beginning', () => {
  const place = { ...beginning(origin), positions: new Array<number>(64).fill(7) };
  expect(placeAt(cursorOf(place, origin), { ...origin, generation: 'second' })).toEqual(beginning(origin));
});

it('[N4] one of another log is refused, and says so', () => {
  const cursor = cursorOf(beginning(origin), { ...origin, identity: 'another' });
  expect(() => placeAt(cursor, origin)).toThrow('after: the cursor is of another log: begin without one');
});

it('[N4] what is no cursor is refused in one line', () => {
  const cursor = cursorOf({ ...beginning(origin), version: 300 }, origin);
  const cut = cursor.slice(0, -1);
  for (const wrong of [
    '',
    'x',
    'null',
    '1',
    cut,
    `${cursor}A`,
    `${cursor}AAA`,
    `A${cursor}`,
    '💡'.repeat(99),
  ])
    expect(() => placeAt(wrong, origin), wrong).toThrow(
      'after: the cursor is not one that was given out here',
    );
  fc.assert(
    fc.property(fc.string({ maxLength: 300 }), (text) => {
      expect(() => placeAt(text, origin)).toThrow(/^after: the cursor is/);
    }),
  );
});

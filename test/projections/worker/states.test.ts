/** What a projector remembers of workshops between batches. */
import { expect, it } from 'vitest';
import { emptyState } from '../../../projections/fold/state.ts';
import { keptStates } from '../../../projections/worker/states.ts';

function state(id: number) {
  const made = emptyState(id);
  made.room.version = 1;
  return made;
}

it('[G1] those of all partitions share what they may weigh, and what was used last stays', () => {
  const states = keptStates(10_000);
  const [even, odd] = [states.of(0), states.of(1)];
  for (let id = 0; id < 100; id++) {
    (id % 2 === 0 ? even : odd).set(id, state(id));
    expect(even.get(0)?.room.id).toBe(0);
  }
  expect(states.size).toBeLessThan(6);
  expect(odd.get(99)?.room.id).toBe(99);
  even.clear();
  expect(even.has(0)).toBe(false);
  expect(odd.has(99)).toBe(true);
});

it('[G1] a workshop that is over is not kept', () => {
  const states = keptStates(1_000_000);
  const one = state(1);
  states.of(0).set(1, one);
  expect(states.size).toBe(1);
  one.room.status = 'ended';
  states.of(0).set(1, one);
  expect(states.size).toBe(0);
});

/** The mutants of `npm run mutants` are lines that are there, with tests that are there: nothing is run here. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { mutants } from './list.ts';
import { faultOf } from './mutant.ts';

const root = join(import.meta.dirname, '../..');
const spec = readFileSync(join(root, 'docs/SPEC.md'), 'utf8');

test.each(mutants)('the line is still there: $endangers', (mutant) => {
  expect(faultOf(mutant, root)).toBeUndefined();
  if (mutant.rule !== undefined) expect(spec).toContain(`**[${mutant.rule}]**`);
});

test('each is told apart by what it endangers', () => {
  const told = mutants.map(({ endangers }) => endangers);
  expect(new Set(told).size).toBe(told.length);
});

/** The rules of docs/SPEC.md: numbered without a gap, each with a test that is there; and numbers in test titles are rules. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const spec = readFileSync(join(root, 'docs/SPEC.md'), 'utf8');

interface Rule {
  number: string;
  sentence: string;
  files: string[];
}

const rules: Rule[] = [...spec.matchAll(/^- \*\*\[(\w+)\]\*\* ([\s\S]*?)(?=\n\n|\n- |\n(?![\s\S]))/gm)].map(
  ([, number = '', text = '']) => ({
    number,
    sentence: text.split(/\n {2}`test\//)[0] ?? '',
    files: [...text.matchAll(/`(test\/[\w./-]+)`/g)].map(([, file = '']) => file),
  }),
);

/** The numbers in the titles of each test file, by path. */
const titled = new Map(
  readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.test\.tsx?$/.test(file))
    .map((file) => {
      const text = readFileSync(join(root, 'test', file), 'utf8');
      const numbers = [...text.matchAll(/\b(?:it|test)\(\s*['"`]\[(\w+)\]/g)].map(
        ([, number = '']) => number,
      );
      return [join('test', file), numbers] as const;
    }),
);

describe('the rules', () => {
  test('are counted from 1 in each part, without a gap', () => {
    expect(rules.length).toBeGreaterThan(50);
    const next = new Map<string, number>();
    for (const { number } of rules) {
      const [, part = '', count = ''] = /^([A-Z]+)(\d+)$/.exec(number) ?? [];
      const expected = (next.get(part) ?? 0) + 1;
      // Faults have the numbers of a list that other parts hold too.
      if (part === 'F') expect(Number(count)).toBeGreaterThanOrEqual(expected);
      else expect(`${part}${count}`).toBe(`${part}${expected}`);
      next.set(part, Number(count));
    }
  });

  test.each(rules)('[$number] is one sentence and names its tests', ({ sentence, files }) => {
    expect(sentence.trim()).toMatch(/^[A-Z`][\s\S]*\.$/);
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) expect(readFileSync(join(root, file), 'utf8').length).toBeGreaterThan(0);
  });

  test('have the numbers that titles of tests bear, and name those files', () => {
    const named = [...titled].flatMap(([file, numbers]) => numbers.map((number) => `${number} ${file}`));
    const stated = new Set(rules.flatMap(({ number, files }) => files.map((file) => `${number} ${file}`)));
    expect(named.filter((each) => !stated.has(each))).toEqual([]);
  });
});

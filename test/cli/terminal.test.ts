/** How durations are written and read on the command line. */
import { expect, it } from 'vitest';
import { durationOf, durationText, oneLine } from '../../src/cli/terminal.ts';

it.each([
  ['0s', 0],
  ['450ms', 450],
  ['12m30s', 750_000],
  ['1h2m3s4ms', 3_723_004],
  ['26h', 93_600_000],
])('%s is %i ms, and is written so', (text, ms) => {
  expect(durationOf(text)).toBe(ms);
  expect(durationText(ms)).toBe(text);
});

it.each(['', '12', '1d', '5s3m', '-1s', '1.5s', 's', '12 m'])('%j is no duration', (text) => {
  expect(durationOf(text)).toBeUndefined();
});

it('90 s are as long as 1 m 30 s', () => {
  expect(durationOf('90s')).toBe(durationOf('1m30s'));
});

it('what people wrote stays on its line and steers nothing', () => {
  expect(oneLine('a\nb\t\u001b[31mc\u202ed')).toBe('a b [31mc d');
});

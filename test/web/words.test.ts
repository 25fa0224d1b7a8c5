/** What the page says of refusals. */
import { expect, it } from 'vitest';
import { sayRefusal } from '../../web/words/words.ts';

const refused = (retryAfterMs?: number) =>
  sayRefusal({
    ...{ code: 'rate_limited', message: 'too many commands: wait a moment' },
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });

it.each([
  [7_300, 'That was a bit fast. Try again in 8 seconds.'],
  [1_000, 'That was a bit fast. Try again in a second.'],
  [3, 'That was a bit fast. Try again in a second.'],
  [undefined, 'That was a bit fast. Wait a moment and try again.'],
])('tells who was too fast to wait for %s ms', (wait, words) => {
  expect(refused(wait)).toBe(words);
});

/** What in a message becomes a link, and calendar files. */
import { expect, it } from 'vitest';
import { calendarFile } from '../../web/room/calendar.ts';
import { partsOf } from '../../web/shared/Linked.tsx';
import { de } from '../../web/words/de.ts';
import { en } from '../../web/words/en.ts';

it.each([
  ['see https://example.org/a?b=1#c.', ['https://example.org/a?b=1#c']],
  ['HTTP://EXAMPLE.org, and (https://x.example/)', ['http://example.org/', 'https://x.example/']],
  ['javascript:alert(1) data:text/html,x ftp://x.example //x.example', []],
  ['https://evil.example/"onmouseover="x', ['https://evil.example/']],
  ['https:// and https://', []],
])('[UI2] of %s only web addresses become links, and the text stays as it was', (text, links) => {
  const parts = partsOf(text);
  expect(parts.map(({ part }) => part).join('')).toBe(text);
  expect(parts.flatMap(({ href }) => href ?? [])).toEqual(links);
});

it('[UI5] a calendar file says when it is in UTC, and escapes and folds what people wrote', () => {
  const file = calendarFile(
    {
      ...{
        id: 7,
        title: `Bread; butter, and ${'ü'.repeat(60)}`,
        description: 'One\ntwo',
        visibility: 'public',
      },
      ...{ status: 'scheduled', hostId: 1, capacity: null, durationMinutes: 90, version: 1 },
      ...{ scheduledAt: '2030-01-01T23:00:00.000Z', startedAt: null, endedAt: null },
    },
    'https://rooms.example/w/7',
    new Date('2029-12-01T00:00:00Z'),
  );
  expect(file).toContain('DTSTART:20300101T230000Z\r\nDTEND:20300102T003000Z\r\n');
  expect(file).toContain('DESCRIPTION:One\\ntwo\r\n');
  expect(file.replaceAll('\r\n ', '')).toContain(`SUMMARY:Bread\\; butter\\, and ${'ü'.repeat(60)}\r\n`);
  for (const line of file.split('\r\n')) expect(Buffer.byteLength(line)).toBeLessThanOrEqual(75);
});

it('[UI8] English and German say the same things, and nothing is left empty', () => {
  const keysOf = (table: object, path = ''): string[] =>
    Object.entries(table).flatMap(([key, value]) => {
      if (typeof value === 'object') return keysOf(value, `${path}${key}.`);
      expect(value, `${path}${key}`).not.toBe('');
      return [`${path}${key}`];
    });
  expect(keysOf(de)).toEqual(keysOf(en));
});

/** What counts as valid text, address and time. */
import { describe, expect, test } from 'vitest';
import { httpsUrl, instant, positiveId, text } from '../../src/domain/text.ts';

describe('text', () => {
  const short = text(1, 3);

  test('is trimmed and counted in code points', () => {
    expect(short.parse('  a🐦b ')).toBe('a🐦b');
    expect(short.safeParse('a🐦bc').success).toBe(false);
    expect(short.safeParse('   ').success).toBe(false);
  });

  test('may be empty where its least length is 0', () => {
    expect(text(0, 3).parse(' ')).toBe('');
  });

  test.each([...Array.from({ length: 32 }, (_, code) => code), 127, 128, 159])(
    'U+%i is refused, unless it is tab or the end of a line',
    (code) => {
      const isAllowed = code === 9 || code === 10 || code === 13;
      expect(short.safeParse(`a${String.fromCharCode(code)}b`).success).toBe(isAllowed);
    },
  );

  test('surrogates count in pairs only', () => {
    expect(short.safeParse('\ud83d\udc26').success).toBe(true);
    expect(short.safeParse('\ud83d').success).toBe(false);
    expect(short.safeParse('\udc26\ud83d').success).toBe(false);
  });

  test('a refused control character is refused at the ends too, where trimming would hide it', () => {
    expect(short.safeParse('a\v').success).toBe(false);
  });

  test('has newlines, whatever lines ended with', () => {
    expect(text(1, 20).parse('one\r\ntwo\rthree\nfour\r\n')).toBe('one\ntwo\nthree\nfour');
    expect(short.parse('a\r\nb')).toBe('a\nb');
  });

  test.each([
    ['white space', '\u00a0\u2003\u3000\u2028\ufeff'],
    ['zero width', '\u200b\u200c\u200d\u2060'],
    ['directions', '\u200e\u202e\u2066\u061c'],
    ['Hangul fillers', '\u115f\u1160\u3164\uffa0'],
    ['variation selectors', '\ufe0f\ufe00\u180b\u{e0100}'],
    ['a grapheme joiner, a soft hyphen', '\u034f\u00ad'],
    ['Khmer inherent vowels, Mongolian vowel separator', '\u17b4\u17b5\u180e'],
    ['tags', '\u{e0020}\u{e007f}'],
    ['shorthand and musical formats', '\u{1bca0}\u{1d173}'],
    ['blank signs', '\u2800\ufffc\u{16fe4}\u{1d159}'],
    ['ignorable ones of no character yet', '\u2065\u{e0fff}'],
  ])('of which nothing is seen is empty: %s', (_, blank) => {
    for (const each of [...blank, ` ${blank}\n`]) {
      expect(text(1, 20).safeParse(each).success).toBe(false);
      expect(text(0, 20).parse(each)).toBe('');
      expect(text(1, 20).parse(`a${each}`)).toContain('a');
    }
  });

  test.each([
    ...['\u{1f469}\u200d\u{1f467}', '\u2764\ufe0f', '\u0645\u06cc\u200c\u062e'],
    ...['\u0301', '\u3164a', '\u202eevil'],
  ])('of which something is seen stays as it is: %s', (value) => {
    expect(text(1, 20).parse(value)).toBe(value);
  });
});

describe('an address', () => {
  test('is https and comes out normalised', () => {
    expect(httpsUrl.parse('HTTPS://Example.org/a b/../ü.png')).toBe('https://example.org/%C3%BC.png');
    expect(httpsUrl.parse(httpsUrl.parse('https://example.org'))).toBe('https://example.org/');
  });

  test.each([
    'http://example.org',
    'javascript:alert(1)',
    'data:image/png;base64,AA',
    '//example.org',
    'example.org',
    '',
    `https://example.org/${'x'.repeat(2_048)}`,
    `https://example.org/${'ü'.repeat(1_000)}`,
    'https://example.org/\u0000',
  ])('%s is refused', (value) => {
    expect(httpsUrl.safeParse(value).success).toBe(false);
  });
});

describe('a time', () => {
  test('has a zone and comes out in UTC', () => {
    expect(instant.parse('2026-03-02T10:00:00+01:00')).toBe('2026-03-02T09:00:00.000Z');
    expect(instant.parse('1970-01-01T00:00:00Z')).toBe('1970-01-01T00:00:00.000Z');
    expect(instant.parse('9999-12-31T23:59:59.999Z')).toBe('9999-12-31T23:59:59.999Z');
  });

  test.each([
    '2026-03-02',
    '2026-03-02T10:00:00',
    '2026-02-30T10:00:00Z',
    '1969-12-31T23:59:59Z',
    '0000-01-01T00:00:00Z',
    '0000-01-01T00:00:00+12:00',
    '9999-12-31T23:00:00-12:00',
    'tomorrow',
  ])('%s is refused', (value) => {
    expect(instant.safeParse(value).success).toBe(false);
  });
});

describe('an id', () => {
  test('is a positive integer up to 2^53 − 1', () => {
    expect([1, 2 ** 53 - 1].every((id) => positiveId.safeParse(id).success)).toBe(true);
    expect([0, -1, 1.5, 2 ** 53, '1', null].some((id) => positiveId.safeParse(id).success)).toBe(false);
  });
});

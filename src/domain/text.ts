/** Schemas of the plain values that payloads, events and tokens are made of. Lengths count Unicode code points. */
import { z } from 'zod';

// C0 and C1 controls and DEL, except tab and newline.
// biome-ignore lint/suspicious/noControlCharactersInRegex: refusing control characters is what this is for
const control = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/;

/** No lone surrogates and no control characters but tab and newline: what every store and every client can hold. */
export function isCleanText(text: string): boolean {
  return text.isWellFormed() && !control.test(text);
}

/**
 * What leaves no mark on a screen: white space, format characters, what renderers are told to ignore (Unicode's
 * `Default_Ignorable_Code_Point`, Hangul fillers among them), and four signs whose picture is empty: the blank Braille pattern, the
 * Khitan filler, the null notehead and the stand-in for an object.
 */
const unseen = /^[\p{White_Space}\p{Cf}\p{Default_Ignorable_Code_Point}\u2800\ufffc\u{16fe4}\u{1d159}]*$/u;

/** Without the white space around it; empty where there is nothing to be seen. */
function seen(text: string): string {
  return unseen.test(text) ? '' : text.trim();
}

function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

/** Text of `min` to `max` code points after trimming. A line ends in a newline, whatever the system it comes from ends it with. */
export function text(min: number, max: number) {
  return z
    .string()
    .transform((value) => value.replace(/\r\n?/g, '\n'))
    .refine(isCleanText, 'contains control characters or malformed Unicode')
    .transform(seen)
    .refine((value) => {
      // A string has at least half as many code points as UTF-16 units: no need to count a huge one.
      if (value.length > 2 * max) return false;
      const length = codePoints(value);
      return length >= min && length <= max;
    }, `must have ${min} to ${max} characters`);
}

/** A positive integer up to 2^53 − 1: users, workshops, versions. */
export const positiveId = z.int().positive();
export const userId = positiveId;
export const displayName = text(1, 80);

/** An https address, normalised as the URL standard does. */
export const httpsUrl = z
  .string()
  .max(2_048)
  .refine(isCleanText, 'contains control characters or malformed Unicode')
  .refine((value) => URL.canParse(value) && new URL(value).protocol === 'https:', 'must be an https URL')
  .transform((value) => new URL(value).href)
  .refine((value) => value.length <= 2_048, 'must have at most 2048 characters');

/** ISO 8601 with a zone, handed on in UTC with milliseconds. Years 1970 to 9999, which every store can hold. */
export const instant = z.iso
  .datetime({ offset: true })
  .transform((value) => new Date(value).toISOString())
  .refine((value) => /^\d{4}-/.test(value) && value >= '1970', 'must lie in the years 1970 to 9999');

/** What is shown of a person who was erased. Their id stays, and with it what they did. */
export const nobody = { displayName: 'Erased user', avatarUrl: null };

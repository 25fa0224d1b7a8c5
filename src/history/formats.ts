/** The forms in which rows leave: CSV that no spreadsheet runs, lines of JSON, and the chat as subtitles. */
import { stringify } from 'csv-stringify/sync';

export interface Writer<R> {
  /** Comes first, also where there are no rows. */
  head: string;
  lines(rows: readonly R[]): string;
}

export function ndjson<R>(): Writer<R> {
  return { head: '', lines: (rows) => rows.map((row) => `${JSON.stringify(row)}\n`).join('') };
}

const asCsv = { record_delimiter: 'windows', cast: { boolean: (value: boolean) => String(value) } } as const;

export interface CsvOptions {
  /** Texts as they are, also where a spreadsheet would take them for formulas. */
  raw: boolean;
}

/** RFC 4180: a header, CRLF, quotes where they are needed; UTF-8 without a mark in front. What is an object is JSON. */
export function csv<R>(columns: readonly (keyof R & string)[], { raw }: CsvOptions): Writer<R> {
  const text = raw ? (value: string) => value : formulaSafe;
  const json = raw ? (value: object) => JSON.stringify(value) : formulaSafeJson;
  const cell = (value: unknown) => {
    if (typeof value === 'string') return text(value);
    return typeof value === 'object' && value !== null ? json(value) : value;
  };
  return {
    head: stringify([columns], asCsv),
    lines: (rows) =>
      stringify(
        rows.map((row) => columns.map((column) => cell(row[column]))),
        asCsv,
      ),
  };
}

/**
 * Text that a spreadsheet might take for a formula, made harmless. The rule is OWASP's (CSV Injection): what begins with one of
 * these gets an apostrophe before it, and so does what would begin a cell for a reader that splits at another separator, or
 * that does not honour our quotes.
 */
const atStart = /^(?:[\t\r\n]|\s*[=+\-@＝＋－＠])/u;
const afterSeparator = /([,;\t\r\n"'])(?=[=+\-@＝＋－＠])/gu;

export function formulaSafe(text: string): string {
  const inside = text.replace(afterSeparator, "$1'");
  return atStart.test(inside) ? `'${inside}` : inside;
}

/** Texts inside JSON are made harmless one by one, so that it is JSON still. */
function formulaSafeJson(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'string' ? formulaSafe(inner) : inner,
  );
}

/** A chat message as an export has it. */
export interface ChatRow {
  id: number;
  at: string;
  /** Since the workshop went live; 0 before. */
  offsetMs: number;
  userId: number;
  displayName: string;
  /** null once deleted. */
  message: string | null;
  deleted: boolean;
}

/** WebVTT (W3C, WebVTT: The Web Video Text Tracks Format): a cue for each message, at its offset. */
export const vttHead = 'WEBVTT\n\n';

export function vttCue({ id, offsetMs, displayName, message }: ChatRow): string {
  const text = message === null ? '<i>deleted</i>' : spoken(message);
  const end = offsetMs + readingMs(message ?? '');
  return `${id}\n${timestamp(offsetMs)} --> ${timestamp(end)}\n<v ${voice(displayName)}>${text}\n\n`;
}

/** Two seconds and a twentieth of one for each character, ten seconds at most. */
export function readingMs(message: string): number {
  return Math.min(10_000, 2_000 + 50 * [...message].length);
}

/** Hours of two digits or more. */
export function timestamp(ms: number): string {
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  const rest = String(ms % 1_000).padStart(3, '0');
  return `${two(ms / 3_600_000)}:${two((ms / 60_000) % 60)}:${two((ms / 1_000) % 60)}.${rest}`;
}

/** Lines stay lines, but none is empty: that would end the cue. */
function spoken(message: string): string {
  return escaped(message.replace(/\s*[\r\n]\s*/g, '\n'));
}

function voice(name: string): string {
  return escaped(name.replace(/\s+/g, ' ').trim());
}

/** Without a bare `>` there is no `-->` either, which no cue may hold. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

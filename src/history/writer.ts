/** How rows become text. */
import { stringify } from 'csv-stringify/sync';
import { formulaSafe, formulaSafeJson } from './formula.ts';

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

/**
 * How values are sent: arrays as text that Postgres casts, a column as one array for `unnest`, a row as one line for COPY.
 * Postgres.js and PGlite treat all of them alike.
 */
import { type Column, getTableColumns } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';
import { instantText } from './columns.ts';

/** An array in Postgres' own text form. */
export function arrayText(values: readonly (string | number | null)[]): string {
  const items = values.map((value) => {
    if (value === null) return 'NULL';
    return typeof value === 'number' ? String(value) : `"${value.replace(/["\\]/g, '\\$&')}"`;
  });
  return `{${items.join(',')}}`;
}

export interface SentColumn {
  /** As the program names it. */
  key: string;
  name: string;
  /** Of Postgres. */
  type: string;
}

export function sentColumns(table: PgTable): SentColumn[] {
  return Object.entries<Column>(getTableColumns(table)).map(([key, column]) => ({
    key,
    name: column.name,
    type: column.getSQLType(),
  }));
}

export function quoted(name: string): string {
  return `"${name}"`;
}

type Sent = Record<string, unknown>;

/** Throws where a value has no form in which it could be sent. */
export function columnArrays(columns: readonly SentColumn[], rows: readonly Sent[]): string[] {
  return columns.map((column) => {
    const write = writerOf(column);
    return arrayText(rows.map((row) => write(row[column.key])));
  });
}

/** Rows as lines, in the text form of COPY. Throws as `columnArrays` does. */
export function copyLines(columns: readonly SentColumn[], rows: readonly Sent[]): string {
  const writers = columns.map((column) => ({ key: column.key, write: writerOf(column) }));
  let lines = '';
  for (const row of rows) {
    let separator = '';
    for (const { key, write } of writers) {
      const value = write(row[key]);
      lines += separator + (value === null ? '\\N' : typeof value === 'number' ? value : escaped(value));
      separator = '\t';
    }
    lines += '\n';
  }
  return lines;
}

const special = /[\\\t\n\r]/g;
const escapes: Record<string, string> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };

function escaped(text: string): string {
  return text.replace(special, (character) => escapes[character] ?? character);
}

type Writer = (value: unknown) => string | number | null;

function writerOf({ type }: SentColumn): Writer {
  const write = writers[type];
  if (write === undefined) throw new Error(`no way to send a column of type ${type}`);
  // What JSON has no word for is null: a column that must not be null would refuse the event for it.
  return type === 'jsonb' ? write : (value) => (value == null ? null : write(value));
}

const writers: Record<string, (value: unknown) => string | number> = {
  bigint: Number,
  integer: Number,
  boolean: (value) => (value === true ? 't' : 'f'),
  text: String,
  timestamptz: (value) => instantText(Number(value)),
  jsonb: (value) => JSON.stringify(value) ?? 'null',
};

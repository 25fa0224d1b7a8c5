/** Column types of the tables, and how instants are written to Postgres and read from it. */
import { type Column, getTableColumns, type Table } from 'drizzle-orm';
import { bigint, customType } from 'drizzle-orm/pg-core';

/** User and workshop ids, versions, milliseconds: at most 2^53 − 1, so a JavaScript number holds them. */
export const whole = (name: string) => bigint(name, { mode: 'number' });

/** A `timestamptz` that is milliseconds since 1970 in the program, as in the log. */
export const instant = customType<{ data: number; driverData: string }>({
  dataType: () => 'timestamptz',
  toDriver: instantText,
  fromDriver: parseInstant,
});

/** Postgres' spelling. ISO 8601 alone would not do: Postgres knows neither a year 0 nor the form `+010000`. */
export function instantText(ms: number): string {
  const date = new Date(ms);
  const year = date.getUTCFullYear();
  const rest = date.toISOString().slice(-20);
  if (year < 1) return `${String(1 - year).padStart(4, '0')}${rest} BC`;
  return `${String(year).padStart(4, '0')}${rest}`;
}

/** Reads what Postgres writes with time zone UTC, such as `2026-11-23 14:00:00.123+00`. */
export function parseInstant(text: string): number {
  const parts = /^(\d+)-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d+))?\+00( BC)?$/.exec(text);
  if (parts === null) throw new Error(`not a time in UTC as Postgres writes it: ${text}`);
  const [, year, month, day, hour, minute, second, fraction = '', era] = parts;
  const date = new Date(0);
  date.setUTCFullYear(era === undefined ? Number(year) : 1 - Number(year), Number(month) - 1, Number(day));
  date.setUTCHours(Number(hour), Number(minute), Number(second), Number(fraction.padEnd(3, '0').slice(0, 3)));
  return date.getTime();
}

export const isoText = (ms: number): string => new Date(ms).toISOString();
export const isoTextOrNull = (ms: number | null): string | null => (ms === null ? null : isoText(ms));

/** All columns of a table for a `select`, named as the program names them; `of` is the table's name in the statement. */
export function namedColumns(table: Table, of?: string): string {
  return Object.entries<Column>(getTableColumns(table))
    .map(([key, column]) => `${of === undefined ? '' : `${of}.`}"${column.name}" as "${key}"`)
    .join(', ');
}

/** Comparing rows column by column. The columns are those of the tables' definitions, so that a new one is compared too. */
import { type Column, getTableColumns, getTableName } from 'drizzle-orm';
import { getTableConfig, type PgTable } from 'drizzle-orm/pg-core';
import type { Row } from '../database/database.ts';
import type { Difference } from './findings.ts';

export interface Comparison {
  /** What differs between the row that there should be and the one that there is, either of which may be missing. */
  differences(expected: Row | undefined, found: Row | undefined): Difference[];
  /** The key of a row within its workshop. */
  keyOf(row: Row): number;
}

interface ComparedColumn {
  /** As the program names it. */
  key: string;
  name: string;
  type: string;
}

export interface ComparisonOptions {
  table: PgTable;
  workshopId: number;
  /** Columns that are compared elsewhere. */
  except?: readonly string[];
}

export function comparison({ table, workshopId, except = [] }: ComparisonOptions): Comparison {
  const columns: ComparedColumn[] = Object.entries<Column>(getTableColumns(table)).map(([key, column]) => ({
    ...{ key, name: column.name, type: column.getSQLType() },
  }));
  const keyNames = getTableConfig(table).primaryKeys[0]?.columns.map(({ name }) => name) ?? ['id'];
  const keys = columns.filter(({ name }) => keyNames.includes(name));
  const compared = columns.filter((column) => !keys.includes(column) && !except.includes(column.name));
  const last = keys.at(-1)?.key ?? 'id';

  function about(row: Row): Omit<Difference, 'column' | 'expected' | 'found'> {
    const key = Object.fromEntries(keys.map((each) => [each.name, Number(row[each.key])]));
    return { kind: 'difference', workshopId, table: getTableName(table), key };
  }

  return {
    keyOf: (row) => Number(row[last]),
    differences(expected, found) {
      const row = expected ?? found;
      if (row === undefined) return [];
      if (expected === undefined || found === undefined)
        return [
          {
            ...about(row),
            column: null,
            expected: expected === undefined ? null : shownRow(expected, expected),
            found: found === undefined ? null : shownRow(found, expected),
          },
        ];
      return compared
        .filter(({ key }) => !isSame(expected[key], found[key]))
        .map(({ key, name, type }) => ({
          ...{ ...about(row), column: name },
          expected: shown(expected[key], type),
          found: isTakenBack(expected) && holdsText.has(key) ? takenBack : shown(found[key], type),
        }));
    },
  };

  /** Of a row that there should not be nobody can say whether its text was deleted. */
  function shownRow(row: Row, expected: Row | undefined): Row {
    return Object.fromEntries(
      columns.map(({ key, name, type }) => [
        name,
        holdsText.has(key) && (expected === undefined || isTakenBack(expected)) && row[key] !== null
          ? takenBack
          : shown(row[key], type),
      ]),
    );
  }
}

/** What people wrote stands in these. What they took back must not come to light in a terminal. */
const holdsText = new Set(['message', 'data']);
const takenBack = '(not shown: it may hold what was deleted)';

function isTakenBack(expected: Row): boolean {
  const { data } = expected;
  const holder = typeof data === 'object' && data !== null ? data : expected;
  return 'message' in holder && holder.message === null;
}

function shown(value: unknown, type: string): unknown {
  if (type !== 'timestamptz' || typeof value !== 'number') return value ?? null;
  return Number.isNaN(new Date(value).getTime()) ? String(value) : new Date(value).toISOString();
}

/** As JSON means it: the order of an object's fields does not count, nor does one that is undefined. */
export function isSame(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null)
    return (one ?? null) === (other ?? null);
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const [left, right] = [new Map(Object.entries(one)), new Map(Object.entries(other))];
  return [...new Set([...left.keys(), ...right.keys()])].every((key) =>
    isSame(left.get(key), right.get(key)),
  );
}

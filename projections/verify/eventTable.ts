/** A table with a row for each of some events of a workshop, compared page by page. */
import { getTableName } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';
import { namedColumns } from '../database/columns.ts';
import type { Database, Row } from '../database/database.ts';
import type { ProjectedLog } from '../fold/source.ts';
import type { Difference } from './findings.ts';
import { comparison } from './rows.ts';

export interface EventTable {
  /** Rows that were read so far. */
  readonly rows: number;
  /** Has for each row after `after` up to `to` what it may be; where it is none of them, how it differs from the first. */
  compare(bounds: { after: number; to: number }, expected: readonly object[][]): Promise<Difference[]>;
  /** Rows after the last one that there should be, though the workshop may have gone on meanwhile. */
  surplus(last: number): Promise<Difference[]>;
}

export interface EventTableOptions {
  database: Database;
  log: ProjectedLog;
  workshopId: number;
  table: PgTable;
  /** The column that has the event's version. */
  key: 'id' | 'version';
}

/** Rows that are too many and that are looked at one by one; there may be more. */
export const surplusLimit = 1_000;

export function eventTable({ database, log, workshopId, table, key }: EventTableOptions): EventTable {
  const { keyOf, differences } = comparison({ table, workshopId });
  let rows = 0;

  function read(after: number, to: number, limit: number): Promise<Row[]> {
    return database.query(
      `select ${namedColumns(table)} from ${getTableName(table)}
       where workshop_id = $1::bigint and ${key} > $2::bigint and ${key} <= $3::bigint
       order by ${key} limit $4::bigint`,
      [workshopId, after, to, limit],
    );
  }

  /** Of a row that may be any of these. */
  function differencesFromAny(alternatives: readonly Row[], found: Row | undefined): Difference[] {
    const each = alternatives.map((expected) => differences(expected, found));
    return each.some(({ length }) => length === 0) ? [] : (each[0] ?? []);
  }

  return {
    get rows() {
      return rows;
    },
    async compare({ after, to }, expected) {
      const page = await read(after, to, Number.MAX_SAFE_INTEGER);
      rows += page.length;
      const unexpected = new Map(page.map((row) => [keyOf(row), row]));
      const found: Difference[] = [];
      for (const alternatives of expected) {
        const each = alternatives.map((row): Row => ({ ...row }));
        if (each[0] === undefined) continue;
        const at = keyOf(each[0]);
        found.push(...differencesFromAny(each, unexpected.get(at)));
        unexpected.delete(at);
      }
      for (const row of unexpected.values()) found.push(...differences(undefined, row));
      return found;
    },
    async surplus(last) {
      const beyond = await read(last, Number.MAX_SAFE_INTEGER, surplusLimit);
      if (beyond.length === 0) return [];
      const head = await log.events.head(workshopId);
      return beyond
        .filter((row) => keyOf(row) > (head?.version ?? 0))
        .flatMap((row) => differences(undefined, row));
    },
  };
}

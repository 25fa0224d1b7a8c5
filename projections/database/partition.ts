/** Workshops of one partition of the log, found in the tables without looking at those of the others. */
import type { Database } from './database.ts';

/** What is known of a log's partitions; `log.ts` has the rest. */
export interface PartitionCount {
  readonly partitions: number;
}

/**
 * A condition of SQL: that a column's workshop is in the partition. Written out, not as parameters, so that it is the very
 * expression of the index (`workshops_by_partition`).
 */
export function inPartition(column: string, { partitions }: PartitionCount, partition: number): string {
  return `(${column} % ${Number(partitions)}) = ${Number(partition)}`;
}

/**
 * Workshops of the partition that have a row in a table whose key begins with `workshop_id`: from one to the next by the key,
 * however many rows are between them.
 */
export async function workshopsIn(
  { query }: Pick<Database, 'query'>,
  table: string,
  { partitions }: PartitionCount,
  partition: number,
): Promise<number[]> {
  const rows = await query(
    `with recursive found (id) as (
       select min(workshop_id) from ${table} where workshop_id >= $2::bigint
       union all
       select (
         select min(workshop_id) from ${table}
         where workshop_id >= found.id + 1 + (($2::bigint - found.id - 1) % $1::bigint + $1::bigint) % $1::bigint
       ) from found where found.id is not null
     ) select id from found where id % $1::bigint = $2::bigint`,
    [partitions, partition],
  );
  return rows.map((row) => Number(row.id));
}

/** Which workshops of a partition are to be folded anew, and up to where: what the tables have of them. */
import { arrayText } from '../arrayText.ts';
import { projectionName } from '../bookkeeping.ts';
import type { Database } from '../database.ts';
import type { Target } from './fold.ts';

/** Of workshops whose tables have something; the others are left out. */
export async function targetsOf(
  database: Database,
  workshopIds: readonly number[],
): Promise<Map<number, Target>> {
  const rows = await database.query(
    'select id, version, epoch from workshops where id = any($1::text::bigint[]) and version > 0',
    [arrayText(workshopIds)],
  );
  return new Map(
    rows.map((row) => {
      const workshopId = Number(row.id);
      return [workshopId, { workshopId, version: Number(row.version), epoch: String(row.epoch) }];
    }),
  );
}

export interface DoneChunk {
  id: number;
  rows: number;
}

export async function doneChunks(database: Database, partition: number): Promise<DoneChunk[]> {
  const rows = await database.query(
    `select id, rows from projection_chunks
     where projection = '${projectionName}' and partition = $1::integer and is_done order by id`,
    [partition],
  );
  return rows.map((row) => ({ id: Number(row.id), rows: Number(row.rows) }));
}

/** Workshops that were folded anew; `behind` those alone whose tables have gone on since. */
export async function foldedAnew(
  database: Database,
  partition: number,
  { behind }: { behind: boolean },
): Promise<number[]> {
  const rows = await database.query(
    `select n.id from (
       select distinct on (n.id) n.id, n.version, n.epoch from workshops_next n
       join projection_chunks c on c.id = n.chunk and c.is_done
       where c.projection = '${projectionName}' and c.partition = $1::integer
       order by n.id, n.chunk desc
     ) n ${behind ? 'join workshops w on w.id = n.id and (w.version <> n.version or w.epoch <> n.epoch)' : ''}
     order by n.id`,
    [partition],
  );
  return rows.map((row) => Number(row.id));
}

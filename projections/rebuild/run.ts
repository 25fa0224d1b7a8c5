/** A rebuild of a partition: what it works with, how it begins or goes on, says how far it is, and ends. */

import { retrying } from '../../src/timing/retry.ts';
import type { FencedWriter } from '../checkpoints/fencedWriter.ts';
import type { Checkpoint } from '../checkpoints/leases.ts';
import { projectionName } from '../checkpoints/schema.ts';
import type { Database } from '../database/database.ts';
import { arrayText } from '../database/encoding.ts';
import { inPartition, workshopsIn } from '../database/partition.ts';
import type { ProjectedLog } from '../fold/source.ts';
import { parkedIn, type Unfoldable } from '../parked/parked.ts';

export interface RebuildParts {
  database: Database;
  log: ProjectedLog;
  /** As it was when the lease was taken. */
  checkpoint: Pick<Checkpoint, 'partition' | 'fence'>;
  writer: FencedWriter;
  /** Rows to a chunk, roughly; a workshop with more has a chunk of its own. */
  chunkRows: number;
  /** Runs while nothing else of the partition is folded or written: its tables stand still. */
  exclusively<T>(work: () => Promise<T>): Promise<T>;
  /** Brings a workshop's tables up to the log. False where it is parked. Within `exclusively`, as are the next two. */
  catchUp(workshopId: number): Promise<boolean>;
  park(workshopId: number, unfoldable: Unfoldable): Promise<void>;
  /** Rows were written that the states of workshops do not know. */
  forgetAll(): void;
  signal: AbortSignal;
  onError(error: unknown): void;
}

/** Whoever changed events that it may have read cancelled the rebuild: another one begins. */
export class Cancelled extends Error {
  override name = 'Cancelled';
  constructor() {
    super('events were changed that the rebuild may have read: it begins anew');
  }
}

const tables = [
  'workshops_next',
  'workshop_attendees_next',
  'workshop_chat_messages_next',
  'workshop_events_next',
];

/** A rebuild of the partition, and how far it is. */
export interface Run {
  /** Of the chunk that stands for it. */
  id: number;
  /** Every workshop up to this id was folded. */
  upTo: number;
  /** Workshops. */
  done: number;
}

/** The one that is under way; another one where there is none. */
export async function beginOrGoOn(parts: RebuildParts): Promise<Run> {
  const { database } = parts;
  const { partition } = parts.checkpoint;
  const [row] = await retrying(
    () =>
      database.query(
        `select max(id) filter (where up_to = 0) as id, max(up_to) as up_to, sum(workshops)::bigint as done
         from projection_chunks
         where projection = '${projectionName}' and partition = $1::integer and is_done and up_to is not null`,
        [partition],
      ),
    parts,
  );
  if (row?.id == null) return { id: await begin(parts), upTo: 0, done: 0 };
  return { id: Number(row.id), upTo: Number(row.up_to), done: Number(row.done) };
}

/** Clears away what an earlier one left, and takes up again what is parked: perhaps it folds by now. */
async function begin(parts: RebuildParts): Promise<number> {
  const { database } = parts;
  const { partition } = parts.checkpoint;
  const id = await retrying(async () => {
    await database.query(
      `delete from projection_chunks where projection = '${projectionName}' and partition = $1::integer`,
      [partition],
    );
    for (const table of tables) await database.query(clearLeft(table), []);
    const [begun] = await database.query(
      `insert into projection_chunks (projection, partition, is_done, up_to, workshops, rows)
       values ('${projectionName}', $1::integer, true, 0, 0, 0) returning id`,
      [partition],
    );
    return Number(begun?.id);
  }, parts);
  const parked = await retrying(() => parkedIn(database, partition), parts);
  for (const workshopId of parked.keys()) await parts.exclusively(() => parts.catchUp(workshopId));
  return id;
}

/**
 * Takes rows away whose chunk nobody knows any more. Which chunks there are is asked of the key, from one to the next: looking at every
 * row, with those that were taken away and not yet vacuumed, made each partition of a rebuild slower than the one before.
 */
function clearLeft(table: string): string {
  const next = (above: string) => `(select chunk from ${table} ${above} order by chunk limit 1)`;
  return `with recursive there (chunk) as (
      ${next('')}
      union all
      select ${next('where chunk > there.chunk')} from there where there.chunk is not null
    )
    delete from ${table} where chunk = any(array(
      select chunk from there where chunk is not null
        and not exists (select from projection_chunks c where c.id = there.chunk)
    ))`;
}

/** Every workshop of the partition that the log or any table has, in order. */
export async function workshopsOf(parts: RebuildParts): Promise<number[]> {
  const { database, log } = parts;
  const { partition } = parts.checkpoint;
  const inTable = () =>
    database.query(`select id from workshops where ${inPartition('id', log, partition)}`, []);
  const ids = (await retrying(inTable, parts)).map((row) => Number(row.id));
  const stored = await retrying(() => workshopsIn(database, 'workshop_events', log, partition), parts);
  const open = await retrying(() => log.streams.ids(partition), parts);
  const all = new Set([...ids, ...stored, ...open]);
  return [...all].sort((one, other) => one - other);
}

/** For whoever asked for it. */
export async function reportProgress(
  parts: RebuildParts,
  { done, total }: { done: number; total: number },
): Promise<void> {
  const { partition, fence } = parts.checkpoint;
  await retrying(
    () =>
      parts.database.query(
        `update projection_checkpoints set rebuild_done = $3::integer, rebuild_total = $4::integer
         where projection = '${projectionName}' and partition = $1::integer and fence = $2::bigint and rebuild_requested`,
        [partition, fence, done, total],
      ),
    parts,
  );
}

/** Chunks of a partition whose rows are cleared away by one statement. */
const clearedAtOnce = 20;

/** From here on nobody takes it up again. Its rows are cleared away after, by the next one if this projector dies. */
export async function finish(parts: RebuildParts, run: Run): Promise<void> {
  const { database } = parts;
  const { partition, fence } = parts.checkpoint;
  const chunks = await retrying(
    () =>
      database.query(
        `with done as (
           update projection_checkpoints set rebuild_requested = false, rebuild_done = null, rebuild_total = null
           where projection = '${projectionName}' and partition = $1::integer and fence = $2::bigint
             and exists (select from projection_chunks where id = $3::bigint)
           returning projection, partition
         ), gone as (
           delete from projection_chunks c using done
           where c.projection = done.projection and c.partition = done.partition returning c.id
         )
         select gone.id from done left join gone on true`,
        [partition, fence, run.id],
      ),
    parts,
  );
  if (chunks.length === 0) throw new Cancelled();
  const ids = chunks.flatMap(({ id }) => (id === null ? [] : [Number(id)]));
  while (ids.length > 0) {
    const cleared = arrayText(ids.splice(0, clearedAtOnce));
    for (const table of tables)
      await retrying(
        () => database.query(`delete from ${table} where chunk = any($1::text::bigint[])`, [cleared]),
        parts,
      );
  }
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

/** Workshops that are in chunks; `behind`: only those whose tables have gone on since. */
export async function rebuiltWorkshops(
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

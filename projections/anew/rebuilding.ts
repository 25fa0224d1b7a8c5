/** What a rebuild of a partition works with, how it begins, tells where it is, and ends. */
import { arrayText } from '../arrayText.ts';
import { projectionName } from '../bookkeeping.ts';
import { known as knownTo } from '../compare.ts';
import type { Database } from '../database.ts';
import type { ProjectedLog } from '../feed.ts';
import type { Fencing } from '../fencing.ts';
import { parkedIn, type Unfoldable } from '../parked.ts';
import { retrying } from '../retry.ts';

export interface RebuildParts {
  database: Database;
  log: ProjectedLog;
  partition: number;
  fence: number;
  own: Fencing;
  /** Rows to a chunk, roughly; a workshop with more has a chunk of its own. */
  chunkRows: number;
  /** Runs while nothing else of the partition is folded or written: its tables stand still. */
  alone<T>(run: () => Promise<T>): Promise<T>;
  /** Brings a workshop's tables up to the log. False where it is parked. Within `alone`, as are the next two. */
  catchUp(workshopId: number): Promise<boolean>;
  park(workshopId: number, unfoldable: Unfoldable): Promise<void>;
  /** Rows were written that the states of workshops do not know. */
  forgetAll(): void;
  signal: AbortSignal;
  onError(error: unknown): void;
}

/** Whoever changed events that it may have read called the rebuild off: another one begins. */
export class CalledOff extends Error {
  override name = 'CalledOff';
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

/** A rebuild of the partition, and its place. */
export interface Run {
  /** Of the chunk that stands for it. */
  id: number;
  /** Every workshop up to this id was folded anew. */
  upTo: number;
  /** Workshops. */
  done: number;
}

/** The one that is under way; another one where there is none. */
export async function taken(parts: RebuildParts): Promise<Run> {
  const { database, partition } = parts;
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
  const { database, partition } = parts;
  const trying = { signal: parts.signal, onError: parts.onError };
  const id = await retrying(async () => {
    await database.query(
      `delete from projection_chunks where projection = '${projectionName}' and partition = $1::integer`,
      [partition],
    );
    for (const table of tables)
      await database.query(
        `delete from ${table} n where not exists (select from projection_chunks c where c.id = n.chunk)`,
        [],
      );
    const [begun] = await database.query(
      `insert into projection_chunks (projection, partition, is_done, up_to, workshops, rows)
       values ('${projectionName}', $1::integer, true, 0, 0, 0) returning id`,
      [partition],
    );
    return Number(begun?.id);
  }, trying);
  const parked = await retrying(() => parkedIn(database, partition), trying);
  for (const workshopId of parked.keys()) await parts.alone(() => parts.catchUp(workshopId));
  return id;
}

export async function known({ database, log, partition, ...trying }: RebuildParts): Promise<number[]> {
  const ids = await retrying(() => knownTo(database, log, partition), trying);
  return [...ids].sort((one, other) => one - other);
}

/** Says how far it is, for whoever asked for it. */
export async function tell(
  parts: RebuildParts,
  { done, total }: { done: number; total: number },
): Promise<void> {
  await retrying(
    () =>
      parts.database.query(
        `update projection_checkpoints set rebuild_done = $3::integer, rebuild_total = $4::integer
         where projection = '${projectionName}' and partition = $1::integer and fence = $2::bigint and rebuild_requested`,
        [parts.partition, parts.fence, done, total],
      ),
    parts,
  );
}

/** Chunks of a partition whose rows are cleared away by one statement. */
const clearedAtOnce = 20;

/** From here on nobody takes it up again. Its rows are cleared away after, by the next one if this projector dies. */
export async function finish(parts: RebuildParts, run: Run): Promise<void> {
  const { database, partition, fence } = parts;
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
  if (chunks.length === 0) throw new CalledOff();
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

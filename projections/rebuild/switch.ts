/**
 * Putting the rows of a rebuild in the place of those that are read: one statement, under the partition's checkpoint, and
 * only of workshops whose tables are at the very version and epoch up to which they were rebuilt. So readers see a
 * workshop as it was or as it is, and nothing that is folded meanwhile is lost.
 *
 * What is equal is left alone: where nothing has changed nothing is written. `workshop_events` is compared with the stream and
 * loses nothing but what the stream has otherwise, of which the table's trigger keeps a copy; where there is no stream it is
 * not touched.
 */
import { getTableName } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';
import { attendees } from '../attendees/schema.ts';
import { chatMessages } from '../chat/schema.ts';
import { quoted, sentColumns } from '../database/encoding.ts';
import { events } from '../events/schema.ts';
import { workshops } from '../workshops/schema.ts';
import { nextAttendees, nextChat, nextEvents, nextWorkshops } from './schema.ts';

interface Pair {
  table: string;
  next: string;
  key: string[];
  /** All columns but the key. */
  others: string[];
}

function pair(table: PgTable, next: PgTable, ...key: string[]): Pair {
  const columns = sentColumns(table).map(({ name }) => name);
  return {
    ...{ table: getTableName(table), next: getTableName(next), key },
    others: columns.filter((name) => !key.includes(name)),
  };
}

const workshop = pair(workshops, nextWorkshops, 'id');
const people = pair(attendees, nextAttendees, 'workshop_id', 'user_id');
const chat = pair(chatMessages, nextChat, 'workshop_id', 'id');
const history = pair(events, nextEvents, 'workshop_id', 'version');

const list = (of: string, columns: readonly string[]) =>
  columns.map((column) => `${of}.${quoted(column)}`).join(', ');
const names = (columns: readonly string[]) => columns.map(quoted).join(', ');
const sameKey = ({ key }: Pair) =>
  key.map((column) => `t.${quoted(column)} = n.${quoted(column)}`).join(' and ');
const differ = (columns: readonly string[]) =>
  `(${list('t', columns)}) is distinct from (${list('n', columns)})`;

/** For `fenced`: $1 are the chunks, $2 is the rebuild that they belong to. */
export const switchStatements = `run as (
  -- Held to the end: whoever calls the rebuild off waits for this statement.
  select id from projection_chunks where id = $2::bigint for share
), ready as (
  select distinct on (n.id) n.id, n.chunk, n.version from ${workshop.next} n
  join projection_chunks c on c.id = n.chunk and c.is_done
  join workshops w on w.id = n.id and w.version = n.version and w.epoch = n.epoch
  join mine on mine.partition = c.partition
  cross join run
  where n.chunk = any($1::text::bigint[])
  order by n.id, n.chunk desc
), ${updated(workshop)}, ${removed(people)}, ${put(people)}, ${removed(chat)}, ${put(chat)}, ${corrected(history)}`;

/** At least one row; `id` is a workshop that was switched over, or null. */
export const switchAnswer = 'select mine.partition, ready.id from mine left join ready on true';

/** Rows of a workshop that are there already. */
function updated({ table, next, others }: Pair): string {
  const sets = others.map((column) => `${quoted(column)} = n.${quoted(column)}`).join(', ');
  return `${table}_updated as (
    update ${table} t set ${sets} from ${next} n join ready r on r.chunk = n.chunk and r.id = n.id
    where t.id = n.id and ${differ(others)}
  )`;
}

/**
 * Rows that there should not be. Each is looked up by the key, which `offset 0` holds Postgres to: where the last vacuum found nothing in
 * the tables of a rebuild it takes them for empty, and would compare every row with every other.
 */
function removed(pair: Pair): string {
  return `${pair.table}_removed as (
    delete from ${pair.table} t using ready r
    where t.workshop_id = r.id
      and not exists (select from ${pair.next} n where n.chunk = r.chunk and ${sameKey(pair)} offset 0)
  )`;
}

function put(pair: Pair): string {
  const { table, next, key, others } = pair;
  const sets = others.map((column) => `${quoted(column)} = excluded.${quoted(column)}`).join(', ');
  return `${table}_put as (
    insert into ${table} (${names([...key, ...others])})
    select ${list('n', [...key, ...others])} from ${next} n join ready r on r.chunk = n.chunk and r.id = n.workshop_id
    where not exists (
      select from ${table} t where ${sameKey(pair)} and not ${differ(others)}
    )
    on conflict (${names(key)}) do update set ${sets}
  )`;
}

/**
 * Of an event that is another one the row is taken out and put in again, since nobody may change more of it than its text. It
 * is put in once it was taken out: the key of the row comes out of the deletion itself.
 */
function corrected(pair: Pair): string {
  const { table, next, key, others } = pair;
  const fixed = others.filter((column) => column !== 'data');
  const ready = `join ready r on r.chunk = n.chunk and r.id = n.workshop_id`;
  return `events_wrong as (
    delete from ${table} t using ${next} n ${ready}
    where ${sameKey(pair)} and ${differ(fixed)}
    returning t.workshop_id, t.version
  ), events_beyond as (
    delete from ${table} t using ready r
    where t.workshop_id = r.id and t.version > r.version
      and exists (select from ${next} n where n.chunk = r.chunk and n.workshop_id = r.id)
  ), events_put as (
    insert into ${table} (${names([...key, ...others])})
    select ${list('n', [...key, ...others])} from ${next} n ${ready}
    where not exists (select from ${table} t where ${sameKey(pair)})
      or (n.workshop_id, n.version) in (select workshop_id, version from events_wrong)
  ), events_redacted as (
    update ${table} t set data = n.data from ${next} n ${ready}
    where ${sameKey(pair)} and not ${differ(fixed)} and t.data is distinct from n.data
  )`;
}

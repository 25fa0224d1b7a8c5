/**
 * The commit: checkpoints and rows of one or more partitions in ONE statement, so that they are written together or not at
 * all without a transaction (postgres.js' transactions have open defects when a backend is killed inside one).
 *
 * Every column travels as one array: 1,000 events cost the same number of parameters as one, the text is always the same
 * and so prepared once, and `unnest` is the fastest way in that was measured (105,000 to 137,000 events/s).
 */
import { getTableName } from 'drizzle-orm';
import { getTableConfig, type PgTable } from 'drizzle-orm/pg-core';
import { attendees } from '../attendees/schema.ts';
import { chatMessages } from '../chat/schema.ts';
import { type Parameter, RefusedError } from '../database/database.ts';
import { arrayText, columnArrays, quoted, type SentColumn, sentColumns } from '../database/encoding.ts';
import { events } from '../events/schema.ts';
import type { Changes } from '../fold/folding.ts';
import { workshops } from '../workshops/schema.ts';
import { projectionName } from './schema.ts';

/** Writes rows and moves the partition's checkpoint, if that is still where and whose the projector thinks. */
export interface Commit {
  partition: number;
  fence: number;
  /** Commits to the partition before this one. */
  commits: number;
  /** The cursor in the feed up to which the partition is folded with these rows. */
  next: number;
  changes: Changes;
}

export interface Statement {
  text: string;
  parameters: Parameter[];
}

/**
 * Answers with the partitions that were committed. The others wrote nothing, neither checkpoint nor rows.
 * Throws a `RefusedError` where a value has no form in which it could be sent.
 */
export function commitStatement(commits: readonly Commit[]): Statement {
  try {
    return statementOf(commits);
  } catch (error) {
    throw new RefusedError('a row cannot be written', { cause: error });
  }
}

function statementOf(commits: readonly Commit[]): Statement {
  const parameters: Parameter[] = [];
  const rowsOf = <K extends keyof Changes>(key: K) =>
    commits.flatMap(({ partition, changes }) => changes[key].map((row) => ({ ...row, partition })));
  const checkpoints = [
    arrayText(commits.map(({ partition }) => partition)),
    arrayText(commits.map(({ fence }) => fence)),
    arrayText(commits.map((commit) => commit.commits)),
    arrayText(commits.map(({ next }) => next)),
  ];
  parameters.push(...checkpoints);
  for (const { key, columns } of upserts) parameters.push(...columnArrays(columns, rowsOf(key)));
  parameters.push(...columnArrays(deletionColumns, rowsOf('deletions')));
  return { text: commitText, parameters };
}

const partitionColumn: SentColumn = { key: 'partition', name: 'partition', type: 'integer' };

interface Upsert {
  key: keyof Changes;
  table: PgTable;
  columns: SentColumn[];
  /** Columns that are written again where there is such a row already; all but the key if left out. */
  updated?: readonly string[];
}

function upsert(key: keyof Changes, table: PgTable, updated?: readonly string[]): Upsert {
  return {
    key,
    table,
    columns: [partitionColumn, ...sentColumns(table)],
    ...(updated !== undefined && { updated }),
  };
}

const upserts: Upsert[] = [
  upsert('workshops', workshops),
  upsert('attendees', attendees),
  upsert('chat', chatMessages),
  // An event never changes; one whose text was deleted since is written without it.
  upsert('events', events, ['data']),
];

const deletionColumns: SentColumn[] = [
  partitionColumn,
  { key: 'workshopId', name: 'workshop_id', type: 'bigint' },
  { key: 'id', name: 'id', type: 'bigint' },
  { key: 'deletedAt', name: 'deleted_at', type: 'timestamptz' },
];

const commitText = textOfCommit();

function textOfCommit(): string {
  let next = 5;
  const unnest = (columns: SentColumn[]) => {
    const arrays = columns.map(({ type }) => `$${next++}::text::${type}[]`);
    return `unnest(${arrays.join(', ')}) as r(${columns.map(({ name }) => quoted(name)).join(', ')})`;
  };
  const parts = upserts.map((each) => upsertText(each, unnest(each.columns)));
  // Rows that the statement itself inserts are not seen by its updates: `deletions` names older ones alone.
  // Locked in the order of partitions, as by everyone who locks several: `lockedCheckpoints`.
  return `with mine as (
    select c.projection, c.partition, p.next from projection_checkpoints c
    join unnest($1::text::integer[], $2::text::bigint[], $3::text::bigint[], $4::text::bigint[])
      as p(partition, fence, commits, next)
      on c.partition = p.partition and c.fence = p.fence and c.commits = p.commits
    where c.projection = '${projectionName}' order by c.partition for update of c
  ), moved as (
    update projection_checkpoints c set feed_seq = mine.next, commits = c.commits + 1, updated_at = now()
    from mine where c.projection = mine.projection and c.partition = mine.partition
    returning c.partition
  ), ${parts.join(', ')}, gone as (
    select r.* from ${unnest(deletionColumns)} where r.partition in (select partition from moved)
  ), blanked as (
    update workshop_chat_messages m set message = null, deleted_at = coalesce(m.deleted_at, gone.deleted_at)
    from gone where m.workshop_id = gone.workshop_id and m.id = gone.id
  ), redacted as (
    update workshop_events e set data = e.data || '{"message": null, "deleted": true}'
    from gone where e.workshop_id = gone.workshop_id and e.version = gone.id and e.type = 'chat-message'
  ) select partition from moved`;
}

function upsertText({ table, columns, updated }: Upsert, rows: string): string {
  const name = getTableName(table);
  const stored = columns.filter((column) => column !== partitionColumn).map((column) => quoted(column.name));
  const { primaryKeys } = getTableConfig(table);
  const key = primaryKeys[0]?.columns.map((column) => quoted(column.name)) ?? [quoted('id')];
  const updates = stored
    .filter((column) => !key.includes(column) && (updated?.map(quoted).includes(column) ?? true))
    .map((column) => `${column} = excluded.${column}`);
  return `${quoted(`${name}_rows`)} as (
    insert into ${quoted(name)} (${stored.join(', ')})
    select ${stored.map((column) => `r.${column}`).join(', ')} from ${rows}
    where r.partition in (select partition from moved)
    on conflict (${key.join(', ')}) do update set ${updates.join(', ')}
  )`;
}

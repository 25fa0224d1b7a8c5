/** Writing the rows of a rebuild, as chunks of whole workshops: by COPY, and where that fails by statements, which say why. */
import { getTableName } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';
import { projectionName } from '../bookkeeping.ts';
import { type Database, RefusedError } from '../database.ts';
import { type Changes, noChanges } from '../fold.ts';
import { columnArrays, copyLines, quoted, type SentColumn, sentColumns } from '../send.ts';
import { nextAttendees, nextChat, nextEvents, nextWorkshops } from './schema.ts';

export interface ChunkDone {
  /** See `chunks` of the schema. */
  upTo: number | null;
  workshops: number;
}

export interface Chunk {
  readonly id: number;
  /** One at a time. Where it rejects the chunk is lost, and another one is to be begun. */
  add(changes: Changes): Promise<void>;
  /** False where the rebuild was called off meanwhile. */
  finish(done: ChunkDone): Promise<boolean>;
}

type RowsOf = 'workshops' | 'attendees' | 'chat' | 'events';

interface Target {
  of: RowsOf;
  name: string;
  columns: SentColumn[];
  /** Columns of the key but the chunk: what is added later is above what was added before. */
  key: SentColumn[];
}

function target(of: RowsOf, table: PgTable, ...key: string[]): Target {
  const columns = sentColumns(table);
  return { of, name: getTableName(table), columns, key: columns.filter(({ name }) => key.includes(name)) };
}

const targets: Target[] = [
  target('workshops', nextWorkshops, 'id'),
  target('attendees', nextAttendees, 'workshop_id', 'user_id'),
  target('chat', nextChat, 'workshop_id', 'id'),
  target('events', nextEvents, 'workshop_id', 'version'),
];

export type Way = 'copy' | 'insert';

export interface ChunkOf {
  database: Database;
  partition: number;
  /** The chunk that stands for the rebuild. */
  run: number;
}

export async function beginChunk({ database, partition, run }: ChunkOf, way: Way): Promise<Chunk> {
  const [begun] = await database.query(
    `insert into projection_chunks (projection, partition, is_done, workshops, rows)
     values ('${projectionName}', $1::integer, false, 0, 0) returning id`,
    [partition],
  );
  const id = Number(begun?.id);
  let rows = 0;

  async function copy({ name, columns, key }: Target, sent: Record<string, unknown>[]): Promise<void> {
    const above = last.get(name) ?? key.map(() => -1);
    const [counted] = await database.copy({
      into: `${name} (${columns.map((column) => quoted(column.name)).join(', ')})`,
      lines: encoded(() => copyLines(columns, sent)),
      check: `select count(*) as count from ${name} where chunk = $1::bigint
        and (${key.map((column) => column.name).join(', ')}) > (${key.map((_, index) => `$${index + 2}::bigint`).join(', ')})`,
      parameters: [id, ...above],
    });
    if (Number(counted?.count) !== sent.length) throw new Error(`COPY into ${name} failed`);
    last.set(
      name,
      key.map((column) => Number(sent.at(-1)?.[column.key])),
    );
  }

  async function insert({ name, columns }: Target, sent: Record<string, unknown>[]): Promise<void> {
    const names = columns.map((column) => quoted(column.name)).join(', ');
    const arrays = columns.map(({ type }, index) => `$${index + 1}::text::${type}[]`).join(', ');
    for (let from = 0; from < sent.length; from += insertedAtOnce)
      await database.query(
        `insert into ${name} (${names}) select * from unnest(${arrays})`,
        encoded(() => columnArrays(columns, sent.slice(from, from + insertedAtOnce))),
      );
  }

  /** Key of the last row that was copied, by table. */
  const last = new Map<string, number[]>();
  return {
    id,
    async add(changes) {
      for (const each of targets) {
        const sent = changes[each.of].map((row) => ({ ...row, chunk: id }));
        if (sent.length === 0) continue;
        await (way === 'copy' ? copy(each, sent) : insert(each, sent));
        rows += sent.length;
      }
    },
    async finish({ upTo, workshops }) {
      const finished = await database.query(
        `update projection_chunks set is_done = true, up_to = $2::bigint, workshops = $3::integer, rows = $4::integer
         where id = $1::bigint and exists (select from projection_chunks where id = $5::bigint) returning id`,
        [id, upTo, workshops, rows, run],
      );
      return finished.length > 0;
    },
  };
}

const insertedAtOnce = 1_000;

function encoded<T>(encode: () => T): T {
  try {
    return encode();
  } catch (error) {
    throw new RefusedError('a row cannot be written', { cause: error });
  }
}

export function rowCount(changes: Changes): number {
  return targets.reduce((sum, { of }) => sum + changes[of].length, 0);
}

export function together(pages: readonly Changes[]): Changes {
  const all = noChanges();
  for (const { workshops, attendees, chat, events } of pages) {
    all.workshops.push(...workshops);
    all.attendees.push(...attendees);
    all.chat.push(...chat);
    all.events.push(...events);
  }
  return all;
}

/** Writing the rows of a rebuild, as chunks of whole workshops: by COPY, and where that fails by statements, which say why. */
import { getTableName } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';
import { projectionName } from '../checkpoints/schema.ts';
import { type Database, RefusedError } from '../database/database.ts';
import { columnArrays, copyLines, quoted, type SentColumn, sentColumns } from '../database/encoding.ts';
import { type Changes, noChanges } from '../fold/folding.ts';
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

export interface ChunkOptions {
  database: Database;
  checkpoint: { partition: number };
  /** The chunk that stands for the rebuild. */
  run: number;
}

export async function beginChunk({ database, checkpoint, run }: ChunkOptions, way: Way): Promise<Chunk> {
  const [begun] = await database.query(
    `insert into projection_chunks (projection, partition, is_done, workshops, rows)
     values ('${projectionName}', $1::integer, false, 0, 0) returning id`,
    [checkpoint.partition],
  );
  const id = Number(begun?.id);
  const written: Written = { id, rows: 0, last: new Map() };
  return {
    id,
    async add(changes) {
      for (const target of targets) {
        const rows = changes[target.of].map((row) => ({ ...row, chunk: id }));
        if (rows.length === 0) continue;
        await (way === 'copy' ? copy(database, target, rows, written) : insert(database, target, rows));
        written.rows += rows.length;
      }
    },
    async finish({ upTo, workshops }) {
      const finished = await database.query(
        `update projection_chunks set is_done = true, up_to = $2::bigint, workshops = $3::integer, rows = $4::integer
         where id = $1::bigint and exists (select from projection_chunks where id = $5::bigint) returning id`,
        [id, upTo, workshops, written.rows, run],
      );
      return finished.length > 0;
    },
  };
}

/** What a chunk has so far. */
interface Written {
  id: number;
  rows: number;
  /** Key of the last row that was copied, by table. */
  last: Map<string, number[]>;
}

type Rows = readonly Record<string, unknown>[];

async function copy(
  database: Database,
  { name, columns, key }: Target,
  rows: Rows,
  { id, last }: Written,
): Promise<void> {
  const above = last.get(name) ?? key.map(() => -1);
  const [counted] = await database.copy({
    into: `${name} (${columns.map((column) => quoted(column.name)).join(', ')})`,
    lines: encoded(() => copyLines(columns, rows)),
    check: `select count(*) as count from ${name} where chunk = $1::bigint
      and (${key.map((column) => column.name).join(', ')}) > (${key.map((_, index) => `$${index + 2}::bigint`).join(', ')})`,
    parameters: [id, ...above],
  });
  if (Number(counted?.count) !== rows.length) throw new Error(`COPY into ${name} failed`);
  last.set(
    name,
    key.map((column) => Number(rows.at(-1)?.[column.key])),
  );
}

async function insert(database: Database, { name, columns }: Target, rows: Rows): Promise<void> {
  const names = columns.map((column) => quoted(column.name)).join(', ');
  const arrays = columns.map(({ type }, index) => `$${index + 1}::text::${type}[]`).join(', ');
  for (let from = 0; from < rows.length; from += insertedAtOnce)
    await database.query(
      `insert into ${name} (${names}) select * from unnest(${arrays})`,
      encoded(() => columnArrays(columns, rows.slice(from, from + insertedAtOnce))),
    );
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

/** All of them at once. */
export function joined(pages: readonly Changes[]): Changes {
  const all = noChanges();
  for (const { workshops, attendees, chat, events } of pages) {
    all.workshops.push(...workshops);
    all.attendees.push(...attendees);
    all.chat.push(...chat);
    all.events.push(...events);
  }
  return all;
}

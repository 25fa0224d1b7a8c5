/**
 * What is in the tables alone, and in no log: whom an operator had forgotten, which events were given up, and where events are delivered. Where the database is one
 * that is thrown away when it is damaged (PGlite), each such row is noted beside the log too, and comes back from there.
 */
import type { Notes } from '../../src/log/log.ts';
import type { Database, Parameter, Row } from '../database/database.ts';

/** Tables whose rows are noted, and their keys. */
const tables = {
  workshop_erasures: ['user_id', 'workshop_id'],
  projection_skipped: ['workshop_id', 'version'],
  workshop_webhooks: ['id'],
} as const;

export type NotedTable = keyof typeof tables;

type Query = (text: string, parameters: readonly Parameter[]) => Promise<Row[]>;

export interface Noting {
  database: Pick<Database, 'kind' | 'query'>;
  log: { readonly notes: Notes };
}

/** Notes the rows of which this is so, or that there are none by now with that key. */
export async function note(
  { database, log }: Noting,
  table: NotedTable,
  where: Readonly<Record<string, number>>,
): Promise<void> {
  if (database.kind !== 'pglite') return;
  const key = tables[table];
  const conditions = Object.keys(where).map((column, index) => `${column} = $${index + 1}::bigint`);
  const rows = await noted(database.query, table, `where ${conditions.join(' and ')}`, Object.values(where));
  const gone = key.every((column) => column in where) ? [[nameOf(table, where), null] as const] : [];
  await log.notes.put(new Map<string, string | null>([...gone, ...rows]));
}

/** Puts back what the tables lack, and notes what the notes lack: before anybody else asks the database anything. */
export async function bringBack(query: Query, notes: Notes): Promise<void> {
  const found = await notes.all();
  for (const table of Object.keys(tables) as NotedTable[]) {
    const kept = [...found].filter(([name]) => name.startsWith(`${table}:`)).map(([, row]) => row);
    await query(
      `insert into ${table} select * from jsonb_populate_recordset(null::${table}, $1::text::jsonb)
       on conflict do nothing`,
      [`[${kept.join(',')}]`],
    );
    const rows = await noted(query, table, '', []);
    await notes.put(new Map(rows.filter(([name, row]) => found.get(name) !== row)));
  }
}

async function noted(
  query: Query,
  table: NotedTable,
  where: string,
  parameters: readonly Parameter[],
): Promise<[name: string, row: string][]> {
  const key = tables[table];
  const rows = await query(
    `select ${key.join(', ')}, to_jsonb(t)::text as row from ${table} t ${where}`,
    parameters,
  );
  return rows.map((row) => [nameOf(table, row), String(row.row)]);
}

function nameOf(table: NotedTable, row: Readonly<Record<string, unknown>>): string {
  return `${table}:${tables[table].map((column) => row[column]).join(':')}`;
}

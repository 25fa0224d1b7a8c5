/**
 * Whether a database is as the program needs it, asked of the database itself: its encoding, and every table with every column. A
 * journal of migrations says what was made once, not what is there: tables are dropped, lie in a schema that is not looked into, or
 * were left out of a backup.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Row } from './database.ts';
import { quoted } from './encoding.ts';

/** The database answers and can't be used, for a reason that is ours to tell; what Postgres says itself has its `sqlState`. */
export class DatabaseUnfit extends Error {
  override name = 'DatabaseUnfit';
}

type Ask = (text: string) => PromiseLike<readonly Row[]>;

/** Rejects with a `DatabaseUnfit` where it can't hold every text. In `LATIN1` an emoji is refused, `SQL_ASCII` refuses it in JSON. */
export async function requireUtf8(ask: Ask): Promise<void> {
  const [row] = await ask(`select current_setting('server_encoding') as encoding`);
  if (row?.encoding === 'UTF8') return;
  throw new DatabaseUnfit(
    `the encoding of the database is ${row?.encoding}, and it has to be UTF8: make another one (create database … encoding 'UTF8' template template0) and name it in DATABASE_URL`,
  );
}

/**
 * Rejects with what Postgres says of a table that is missing, lacks a column or may not be read. `folder` is that of the migrations,
 * whose newest snapshot has the tables as they are to be.
 */
export async function requireTables(ask: Ask, folder: string): Promise<void> {
  let text = texts.get(folder);
  text ??= tablesText(folder);
  texts.set(folder, text);
  await ask(text);
}

const texts = new Map<string, string>();
const index = z.object({ entries: z.array(z.object({ idx: z.number() })) });
const snapshot = z.object({
  tables: z.record(
    z.string(),
    z.object({ name: z.string(), columns: z.record(z.string(), z.object({ name: z.string() })) }),
  ),
});

/** Looked up in the catalogue and not read: nothing is true of no row. */
function tablesText(folder: string): string {
  const read = (file: string): unknown => JSON.parse(readFileSync(join(folder, 'meta', file), 'utf8'));
  const newest = index.parse(read('_journal.json')).entries.at(-1)?.idx ?? 0;
  const { tables } = snapshot.parse(read(`${String(newest).padStart(4, '0')}_snapshot.json`));
  const found = Object.values(tables).map(({ name, columns }) => {
    const names = Object.values(columns).map((column) => quoted(column.name));
    return `exists (select ${names.join(', ')} from ${quoted(name)} where false)`;
  });
  return `select ${found.join(', ')}`;
}

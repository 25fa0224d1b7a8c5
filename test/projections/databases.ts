/** The two kinds of database, fresh and empty, for suites that must hold on both. */
import { join } from 'node:path';
import type { Database } from '../../projections/database/database.ts';
import { openDatabase } from '../../projections/database/open.ts';
import { dataFolder } from '../kit/dataFolder.ts';
import { migratedPostgres } from '../kit/shared.ts';

export interface FreshDatabase {
  database: Database;
  /** Of Postgres. */
  url?: string;
  /** Opens the same database again, beside or after the first. */
  again(): Promise<Database>;
  close(): Promise<void>;
}

async function freshPostgres(): Promise<FreshDatabase> {
  const url = await migratedPostgres();
  const open = async () => {
    const database = await openDatabase({ url }, { onError: fail });
    await database.ready;
    return database;
  };
  const database = await open();
  return { database, url, again: open, close: () => database.close() };
}

async function freshPglite(): Promise<FreshDatabase> {
  const folder = await dataFolder('pglite');
  const open = async () => openDatabase({ folder: join(folder.path, 'database') }, { onError: fail });
  const database = await open();
  await database.ready;
  return {
    database,
    again: open,
    async close() {
      await database.close();
      await folder.close();
    },
  };
}

function fail(error: unknown): void {
  throw new Error('a fresh database failed', { cause: error });
}

export const databases = [
  { kind: 'Postgres', open: freshPostgres },
  { kind: 'PGlite', open: freshPglite },
] as const;

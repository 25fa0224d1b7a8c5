/** Opening databases: migrations, damage, connections that break, values as they come back. */
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { describe, expect, it, vi } from 'vitest';
import { isRefusal } from '../../../projections/database/database.ts';
import { openDatabase } from '../../../projections/database/open.ts';
import { startThread } from '../../../projections/database/pgliteThread.ts';
import { highestWorkshopId } from '../../../projections/workshops/queries.ts';
import { dataFolder } from '../../kit/dataFolder.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { freePort } from '../../kit/ports.ts';
import { migratedPostgres, sharedPostgres } from '../../kit/shared.ts';
import { until } from '../../kit/until.ts';
import { databases } from '../databases.ts';

// PGlite opens within a second on an idle machine, and not on a busy one.
vi.setConfig({ testTimeout: 60_000 });

const quiet = { onError: () => undefined };

describe.each(databases)('on $kind', ({ open }) => {
  it('numbers, instants, arrays and objects come back as the program has them', async () => {
    const fresh = await open();
    const [row] = await fresh.database.query(
      `select 9007199254740991::bigint as big, '2026-01-02T03:04:05.678+02'::timestamptz as at,
         '{"a": [1, "x"]}'::jsonb as data, true as yes, null::text as nothing, count(*) as many from workshops`,
      [],
    );
    expect(row).toEqual({
      ...{ big: 2 ** 53 - 1, at: Date.parse('2026-01-02T01:04:05.678Z'), data: { a: [1, 'x'] } },
      ...{ yes: true, nothing: null, many: 0 },
    });
    expect(await highestWorkshopId(fresh.database)).toBe(0);
    await fresh.close();
  });

  it('what Postgres refuses for its data is told from what may pass', async () => {
    const fresh = await open();
    const refusal = (text: string) => fresh.database.query(text, []).then(() => undefined, isRefusal);
    expect(await refusal(`select '\\u0000'::jsonb`)).toBe(true);
    expect(await refusal(`select 'x'::integer`)).toBe(true);
    expect(await refusal('select * from no_such_table')).toBe(false);
    await fresh.close();
  });
});

describe('Postgres', () => {
  it('nodes that start at once migrate once', async () => {
    const url = await sharedPostgres();
    const opened = await Promise.all(Array.from({ length: 5 }, () => openDatabase({ url }, quiet)));
    await Promise.all(opened.map((database) => database.ready));
    const rows = await opened[0]?.query('select count(*) as done from workshop_migrations', []);
    const files = readdirSync('projections/migrations').filter((file) => file.endsWith('.sql'));
    expect(rows).toEqual([{ done: files.length }]);
    await Promise.all(opened.map((database) => database.close()));
  });

  it('one that is away is tried again, and closing does not wait for it', async () => {
    const errors: unknown[] = [];
    const url = `postgres://postgres@127.0.0.1:${await freePort()}/nobody`;
    const database = openDatabase({ url }, { onError: (error) => errors.push(error) });
    await until(() => errors.length >= 2, { what: 'two tries' });
    await expect(highestWorkshopId(database)).rejects.toMatchObject({ code: 'unavailable' });
    await database.close();
    await expect(database.ready).rejects.toThrow();
  });

  it('idle connections that are killed are replaced', async () => {
    const url = await migratedPostgres();
    const [one, other] = await Promise.all([openDatabase({ url }, quiet), openDatabase({ url }, quiet)]);
    await Promise.all([one.ready, other.ready]);
    for (let round = 0; round < 3; round++) {
      await one.query('select 1', []);
      expect(await highestWorkshopId(one)).toBe(0);
      await other.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid() and state = 'idle'`,
        [],
      );
      await until(async () => (await one.query('select 2 as two', []))[0]?.two === 2, { what: 'an answer' });
      await until(async () => (await highestWorkshopId(one)) === 0, { what: 'an answer to a read' });
    }
    await Promise.all([one.close(), other.close()]);
  });
});

describe('PGlite', () => {
  it('keeps what was written when it is opened again', async () => {
    const folder = await dataFolder('pglite');
    const path = join(folder.path, 'database');
    const first = openDatabase({ folder: path }, quiet);
    await first.query(
      `insert into projection_parked values (5, 'rooms', 0, 1, 'reason', 1, now(), false)`,
      [],
    );
    await first.close();
    const second = openDatabase({ folder: path }, quiet);
    expect(await second.query('select workshop_id from projection_parked', [])).toEqual([{ workshop_id: 5 }]);
    await second.close();
    await folder.close();
  });

  it('is made by itself where the folder that others made is of no use', async () => {
    const folder = temporaryFolder('pglite');
    const template = join(folder.path, 'template.tgz');
    writeFileSync(template, 'of another version');
    const migrationsFolder = join(import.meta.dirname, '../../../projections/migrations');
    const path = join(folder.path, 'database');
    const { signal } = new AbortController();
    const thread = await startThread({
      ...{ folder: path, migrationsFolder, template, signal, onDied: () => undefined },
    });
    const question = { text: 'select count(*) from workshops', parameters: [], rowMode: 'array' } as const;
    expect(await thread.ask(question)).toMatchObject({ rows: [[0]] });
    await thread.close();
    await folder.close();
  });

  it('that is closed while it is being made does not keep anyone waiting, and leaves nothing half made', async () => {
    const folder = temporaryFolder('pglite');
    const path = join(folder.path, 'deeper', 'projections');
    const first = openDatabase({ folder: path }, quiet);
    await new Promise((resolve) => setTimeout(resolve, 400));
    const began = performance.now();
    await first.close();
    expect(performance.now() - began).toBeLessThan(2_000);
    expect(existsSync(path)).toBe(false);
    const second = openDatabase({ folder: path }, quiet);
    expect(await highestWorkshopId(second)).toBe(0);
    await second.close();
    await folder.close();
  });

  it('whose thread dies is opened again, and what it was asked is refused', async () => {
    const folder = await dataFolder('pglite');
    const threads: Worker[] = [];
    const remember = (worker: Worker) => threads.push(worker);
    process.on('worker', remember);
    const errors: unknown[] = [];
    const database = openDatabase(
      { folder: join(folder.path, 'database') },
      { onError: (error) => errors.push(error) },
    );
    await database.ready;
    const asked = database.query('select pg_sleep(60)', []);
    await Promise.all([expect(asked).rejects.toThrow('ended'), threads[0]?.terminate()]);
    // Waits until it is open again.
    expect(await highestWorkshopId(database)).toBe(0);
    expect(errors).toHaveLength(1);
    expect(threads).toHaveLength(2);
    process.off('worker', remember);
    await database.close();
    await folder.close();
  });

  it.each([
    ['that lost its control file', (path: string) => writeFileSync(join(path, 'global', 'pg_control'), 'x')],
    ['whose version is another', (path: string) => writeFileSync(join(path, 'PG_VERSION'), '9')],
    [
      'that lost its tables',
      (path: string) => {
        for (const file of readdirSync(join(path, 'base', '5')))
          writeFileSync(join(path, 'base', '5', file), '');
      },
    ],
  ])('a folder %s is thrown away and made anew', async (_, damage) => {
    const folder = await dataFolder('pglite');
    const path = join(folder.path, 'database');
    const first = openDatabase({ folder: path }, quiet);
    await first.ready;
    await first.close();
    damage(path);
    const errors: unknown[] = [];
    const second = openDatabase({ folder: path }, { onError: (error) => errors.push(error) });
    await second.ready;
    expect(errors).toHaveLength(1);
    expect(await highestWorkshopId(second)).toBe(0);
    await second.close();
    await folder.close();
  });
});

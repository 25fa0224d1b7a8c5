/**
 * PGlite on a thread of its own: it computes where it is called, and on the thread of the rooms every commit of the
 * projector would hold them up, the first start for seconds. Plain JavaScript, since a thread does not inherit the loader
 * that runs TypeScript. Spoken to by `pglite.ts` alone.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import { drizzle } from 'drizzle-orm/pglite';
import { migrate } from 'drizzle-orm/pglite/migrator';

const int8 = 20;
const timestamptz = 1184;
const asText = (value) => value;

const client = await open();
parentPort.on('message', async ({ id, text, parameters, rowMode, lines }) => {
  if (id === undefined) {
    await client.close();
    parentPort.close();
    return;
  }
  try {
    const { rows, fields } = await client.query(text, parameters, {
      rowMode,
      ...(lines !== undefined && { blob: new Blob([lines]) }),
    });
    const instants = fields.filter(({ dataTypeID }) => dataTypeID === timestamptz).map(({ name }) => name);
    parentPort.postMessage({ id, rows, instants });
  } catch (error) {
    parentPort.postMessage({ id, error: { message: error.message, code: error.code } });
  }
});
parentPort.postMessage({ opened: true });

async function open() {
  const opened = (await fromTemplate()) ?? (await create());
  await migrate(drizzle(opened), { migrationsFolder: workerData.migrationsFolder });
  // One process has the folder: whoever held a lease before is gone.
  await opened.query('update projection_checkpoints set owner = null, lease_until = null');
  await opened.query('update projection_log set run_until = null');
  return opened;
}

/**
 * A new database from a folder that somebody else made, which costs a quarter of making one. Undefined where there is one already,
 * and where the template is missing or not for this version: then one is made.
 */
async function fromTemplate() {
  const { folder, template } = workerData;
  if (existsSync(folder)) return undefined;
  try {
    return await create({ loadDataDir: await filled(template) });
  } catch {
    // What is wrong with the folder or its disk, making one will tell.
    rmSync(folder, { recursive: true, force: true });
    return undefined;
  }
}

async function filled(template) {
  if (template !== undefined) return new Blob([readFileSync(template)]);
  const { dataDir } = await import('@electric-sql/pglite-prepopulatedfs');
  return dataDir();
}

function create(more) {
  return PGlite.create({
    dataDir: workerData.folder,
    parsers: { [int8]: Number, [timestamptz]: asText },
    ...more,
  });
}

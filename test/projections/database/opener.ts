/**
 * A process that opens the PGlite in a folder while something stands in the way, and lets that pass after two failures. Called with the
 * folder and what stands in the way:
 *
 *   files          it has as many files open as it may
 *   <file>         that file fills the disk
 *
 * Prints each error, and at last which workshops are parked.
 */
import { closeSync, openSync, rmSync } from 'node:fs';
import { openDatabase } from '../../../projections/database/open.ts';

const [, , folder = '', obstacle = ''] = process.argv;
const taken: number[] = [];

function take(): void {
  if (obstacle !== 'files') return;
  try {
    for (;;) taken.push(openSync('/dev/null', 'r'));
  } catch {
    // All are taken, but what the thread needs to find its modules: it gets as far as the folder.
    for (const each of taken.splice(Math.max(0, taken.length - spare))) closeSync(each);
  }
}

const spare = Number(process.env.SPARE_FILES ?? 0);

function release(): void {
  for (const each of taken.splice(0)) closeSync(each);
  if (obstacle !== 'files') rmSync(obstacle, { force: true });
}

let failures = 0;
take();
const database = openDatabase(
  { folder },
  {
    onError(error) {
      process.stdout.write(`error: ${(error as Error).message}\n`);
      if (++failures === 2) release();
    },
  },
);
await database.ready;
const rows = await database.query('select workshop_id from projection_parked', []);
process.stdout.write(`open: ${rows.map((row) => row.workshop_id).join(',')}\n`);
await database.close();

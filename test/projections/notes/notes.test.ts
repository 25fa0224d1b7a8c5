/** What is in the tables alone comes back when an embedded database is made again. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { requestErasure } from '../../../projections/erasing/request.ts';
import { skipParked } from '../../../projections/parked/skip.ts';
import { projector } from '../../../projections/worker/projector.ts';
import { readConfig } from '../../../src/config.ts';
import { openStores, type Stores } from '../../../src/stores.ts';
import { dataFolder } from '../../kit/dataFolder.ts';
import type { TemporaryFolder } from '../../kit/folder.ts';
import { secret } from '../../kit/server.ts';
import { until } from '../../kit/until.ts';
import { append, folded } from '../stores.ts';
import { event, scheduledEvent } from '../story.ts';

vi.setConfig({ testTimeout: 60_000 });

let folder: TemporaryFolder;
let stores: Stores;
const open = async () => {
  const config = readConfig({ DATA_DIR: folder.path, AUTH_SECRET: secret });
  stores = await openStores(config, pino({ level: 'silent' }));
  await stores.database.ready;
};
beforeEach(async () => {
  folder = await dataFolder('notes');
  await open();
});
afterEach(async () => {
  await stores.close();
  await folder.close();
});

/** The database is damaged while nobody has it open, and made again. */
async function madeAgain(): Promise<void> {
  await stores.close();
  writeFileSync(join(folder.path, 'database', 'global', 'pg_control'), 'x');
  await open();
  expect(await stores.database.query('select id from workshops', [])).toEqual([]);
}

const rowsOf = (table: string) => stores.database.query(`select * from ${table} order by 1, 2`, []);

it('[B17] whom somebody had forgotten, whether it waits or was done', async () => {
  const { log, database } = stores;
  const at = Date.now();
  const joined = {
    userId: 2,
    displayName: 'Ada',
    avatarUrl: null,
    isHost: false,
    isCoHost: false,
    canSpeak: false,
  };
  for (const id of [1, 2])
    await append(log, id, [[scheduledEvent(at)], [event('user-joined', joined, at + 1, 2)]]);
  const running = projector({ log, database, node: 'one', leaseMs: 300 });
  await folded({ log, database, close: async () => undefined }, 1);
  await folded({ log, database, close: async () => undefined }, 2);
  await requestErasure(database, log, { userId: 2, by: 'user 9' });
  const isDone = async () => (await rowsOf('workshop_erasures')).every(({ done_at }) => done_at !== null);
  await until(isDone, { what: 'the person to be forgotten', timeout: 20_000 });
  await running.close();
  // Asked for again, and not taken up any more.
  await requestErasure(database, log, { userId: 1, by: 'user 9' });
  const before = await rowsOf('workshop_erasures');
  expect(before).toHaveLength(4);
  await madeAgain();
  expect(await rowsOf('workshop_erasures')).toEqual(before);
});

it('[B17] which events were given up', async () => {
  const { log, database } = stores;
  await append(log, 1, [
    [scheduledEvent(Date.now())],
    [event('hand-raised', { userId: 'nobody' }, Date.now(), 2)],
  ]);
  await database.query(
    `insert into projection_parked values (1, 'rooms', 0, 2, 'a reason', 4, now(), false)`,
    [],
  );
  await skipParked(database, log, { workshopId: 1, version: 2, by: 'user 9', patienceMs: 0 }).catch(
    () => undefined,
  );
  const before = await rowsOf('projection_skipped');
  expect(before).toMatchObject([{ workshop_id: 1, version: 2, skipped_by: 'user 9' }]);
  await madeAgain();
  expect(await rowsOf('projection_skipped')).toEqual(before);
});

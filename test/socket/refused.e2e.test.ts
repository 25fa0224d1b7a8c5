/** Who is not let in, or was removed, is held by no node any more: on another one they come and go as they like. */
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { workshopEngine } from '../../src/engine/engine.ts';
import { embeddedLog } from '../../src/log/embedded/log.ts';
import type { EventLog } from '../../src/log/log.ts';
import { host, liveWorkshop, ok, replayed, send, user } from '../engine/nodes.ts';
import { type TemporaryFolder, temporaryFolder } from '../kit/folder.ts';
import { type Gateway, gateway } from '../kit/gateway.ts';
import { until } from '../kit/until.ts';

let folder: TemporaryFolder;
let log: EventLog;
let here: Gateway;

beforeEach(async () => {
  folder = temporaryFolder('refused');
  log = await embeddedLog({ path: join(folder.path, 'log') });
  // Long enough for a machine that stands still for a while.
  here = await gateway({ log, leaseMs: 60_000 });
});
afterEach(async () => {
  await here.close();
  await log.close();
  await folder.close();
});

it('[P5] who was refused here, and came in elsewhere, has left when they leave there', async () => {
  const other = { log, engine: workshopEngine({ log, node: 'other' }) };
  const workshopId = await liveWorkshop(other);
  const three = await here.connect(3);
  expect(await three.say('join', { workshopId })).toMatchObject({ error: { code: 'not_a_member' } });
  await ok(send(other, workshopId, user(3), 'rsvp', {}));
  await ok(send(other, workshopId, user(3), 'join', {}));
  expect(await ok(send(other, workshopId, user(3), 'leave', {}))).toMatchObject({ changed: true });
  expect((await replayed(log, workshopId)).present.size).toBe(0);
  await other.engine.close();
});

it('[P3] who was removed, and is readmitted and comes in elsewhere, has left when they leave there', async () => {
  const other = { log, engine: workshopEngine({ log, node: 'other' }) };
  const workshopId = await liveWorkshop(other);
  await ok(send(other, workshopId, user(2), 'rsvp', {}));
  const two = await here.connect(2);
  expect(await two.say('join', { workshopId })).toMatchObject({ ok: true });
  await two.state();
  await ok(send(other, workshopId, host, 'remove-user', { targetUserId: 2 }));
  await two.hears('user-removed');
  await ok(send(other, workshopId, host, 'readmit-user', { targetUserId: 2 }));
  await ok(send(other, workshopId, user(2), 'join', {}));
  // The first node lets go of them a moment after it has told them.
  await until(async () => (await ok(send(other, workshopId, user(2), 'leave', {}))).changed, {
    what: 'the leaving to be recorded',
  });
  expect((await replayed(log, workshopId)).present.size).toBe(0);
  await other.engine.close();
});

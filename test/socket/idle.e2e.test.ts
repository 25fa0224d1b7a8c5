/** Rooms that a node follows, and lets go of once nobody is in them any more. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { embeddedLog } from '../../src/log/embedded/log.ts';
import type { EventLog } from '../../src/log/log.ts';
import { liveWorkshop, ok, send, user } from '../engine/nodes.ts';
import { type TemporaryFolder, temporaryFolder } from '../kit/folder.ts';
import { type Gateway, gateway } from '../kit/gateway.ts';
import { until } from '../kit/until.ts';

let folder: TemporaryFolder;
let log: EventLog;
let here: Gateway;
/** Of that workshop the gateway's rooms cannot read the stream; its engine can. */
let unreadable: number;

beforeEach(async () => {
  folder = temporaryFolder('idle');
  log = await embeddedLog({ path: join(folder.path, 'log') });
  unreadable = 0;
  const read: EventLog['events']['read'] = async (id, ...range) => {
    if (id === unreadable) throw new Error('the stream cannot be read');
    return log.events.read(id, ...range);
  };
  here = await gateway({ log: { ...log, events: { ...log.events, read } }, idleMs: 40 });
});
afterEach(async () => {
  await here.close();
  await log.close();
  await folder.close();
});

it('[D2] a room with people in it is followed on, however long nothing happens, and an empty one is let go of', async () => {
  const [full, empty] = [await liveWorkshop(here), await liveWorkshop(here)];
  for (const workshopId of [full, empty]) await ok(send(here, workshopId, user(2), 'rsvp', {}));
  const guest = await here.connect(2);
  for (const workshopId of [full, empty])
    expect(await guest.say('join', { workshopId })).toMatchObject({ ok: true });
  expect(await here.rooms()).toBe(2);
  await guest.say('leave', { workshopId: empty });
  // By then the other one was looked at as often, and is as old.
  await until(async () => (await here.rooms()) < 2, { what: 'the empty room to be let go of' });
  expect(await here.rooms()).toBe(1);
  await guest.say('chat', { workshopId: full, message: 'still here?' });
  expect(await guest.hears('chat-message')).toMatchObject({ workshopId: full, message: 'still here?' });
});

it('[G1] empty rooms go before their time, the longest empty first, where rooms are too heavy together', async () => {
  const heavy = await gateway({ log, idleMs: 60_000, sweepMs: 20, roomBytes: 12_000 });
  try {
    const ids = await Promise.all(Array.from({ length: 4 }, () => liveWorkshop(heavy)));
    for (const workshopId of ids) await ok(send(heavy, workshopId, user(2), 'rsvp', {}));
    const guest = await heavy.connect(2);
    const [occupied = 0, ...empty] = ids;
    await guest.say('join', { workshopId: occupied });
    for (const workshopId of empty) {
      await guest.say('join', { workshopId });
      await guest.say('leave', { workshopId });
    }
    await until(async () => (await heavy.rooms()) < 4, { what: 'an empty room to be let go of' });
    await guest.say('chat', { workshopId: occupied, message: 'still here?' });
    expect(await guest.hears('chat-message')).toMatchObject({ workshopId: occupied });
  } finally {
    await heavy.close();
  }
});

it('[D2] a room is not let go of while somebody is about to enter it, however long it takes to read it', async () => {
  const workshopId = await liveWorkshop(here);
  await ok(send(here, workshopId, user(2), 'rsvp', {}));
  const guest = await here.connect(2);
  unreadable = workshopId;
  const joined = guest.say('join', { workshopId });
  await until(async () => (await here.rooms()) === 1, { what: 'the room to be read' });
  // A dozen looks at rooms that are idle.
  await sleep(120);
  unreadable = 0;
  expect(await joined).toMatchObject({ ok: true });
  await guest.say('chat', { workshopId, message: 'heard?' });
  expect(await guest.hears('chat-message')).toMatchObject({ workshopId, message: 'heard?' });
});

it('[P7] a join to a room that cannot be read is answered in time, leaves no ghost, and nobody goes on reading', async () => {
  const workshopId = await liveWorkshop(here);
  await ok(send(here, workshopId, user(2), 'rsvp', {}));
  const guest = await here.connect(2);
  unreadable = workshopId;
  expect(await guest.say('join', { workshopId })).toMatchObject({
    ok: false,
    error: { code: 'unavailable', retryable: true },
  });
  const present = async () => (await here.engine.room(workshopId))?.room.present.size;
  expect(await present()).toBe(1);
  await until(async () => (await present()) === 0, { what: 'the user to be recorded as gone' });
  await until(async () => (await here.rooms()) === 0, { what: 'the room to be let go of' });
  unreadable = 0;
  expect(await guest.say('join', { workshopId })).toMatchObject({ ok: true });
  await guest.say('chat', { workshopId, message: 'well again' });
  expect(await guest.hears('chat-message')).toMatchObject({ message: 'well again' });
});

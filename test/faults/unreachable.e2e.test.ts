/** Redis that is there and cannot be reached, or takes nothing: the line is cut, dead or one-sided, or the memory is full. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Gathering } from '../kit/scene.ts';
import { type Guest, guestOn, restAt, token } from '../kit/server.ts';
import { until } from '../kit/until.ts';
import { type Stage, type StagedNode, stage } from './stage.ts';

let on: Stage;
let here: StagedNode;
const opened: { close(): unknown }[] = [];

beforeAll(async () => {
  on = await stage({ nodes: [{}, {}] });
  here = on.nodes[0] as StagedNode;
}, 60_000);
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});
afterAll(() => on?.close());

/** A socket of the host in that room, which says what it is answered instead of asking again. */
async function onlooker({ workshopId }: Gathering): Promise<Guest> {
  const guest = guestOn(here.url, 1, { token: await token({ id: 1 }) });
  opened.push(guest);
  await until(() => guest.socket.connected, { what: 'the onlooker to be connected' });
  expect(await guest.say('join', { workshopId })).toMatchObject({ ok: true });
  return guest;
}

/** A command is refused as one that may be repeated, and in time. */
async function isRefusedInTime(guest: Guest, { workshopId }: Gathering): Promise<void> {
  const asked = performance.now();
  expect(await guest.say('chat', { workshopId, message: 'anyone?' })).toMatchObject({
    ok: false,
    error: { code: 'unavailable', retryable: true },
  });
  expect(performance.now() - asked).toBeLessThan(4_000);
}

const isReady = () =>
  until(async () => (await here.readiness()).status === 200, {
    what: 'the node to be ready',
    timeout: 15_000,
  });

describe('the line between a node and Redis', { timeout: 60_000 }, () => {
  it('[F15] is cut again and again: nothing is done twice, and nothing is lost', async () => {
    const room = await on.gather('F15, cut', 10);
    room.begin(60);
    for (let n = 0; n < 15; n++) {
      here.store.cut(n % 2 === 0 ? 'rst' : 'fin');
      await sleep(150);
    }
    await on.grows(room, 20);
    await on.allIsWell([room]);
  });

  it('[F15] is dead for 15 s while people stay connected: commands are refused in time, and all goes on after it', async () => {
    const room = await on.gather('F15, dead', 10, { restless: false });
    const watch = await onlooker(room);
    room.begin(20);
    await on.grows(room, 20);
    here.store.swallow();
    const began = performance.now();
    await isRefusedInTime(watch, room);
    expect((await here.readiness()).status).toBe(503);
    await sleep(15_000 - (performance.now() - began));
    await isRefusedInTime(watch, room);
    expect(watch.socket.connected).toBe(true);
    here.store.mend();
    await isReady();
    expect(await watch.say('chat', { workshopId: room.workshopId, message: 'back' })).toMatchObject({
      ok: true,
    });
    await on.allIsWell([room]);
  });

  it('[F15] that never answers again is given up for another one', async () => {
    const room = await on.gather('F15, stranded', 8, { restless: false });
    room.begin(20);
    await on.grows(room, 10);
    here.store.strand();
    await until(async () => (await here.readiness()).status === 503, { what: 'the node to notice' });
    await isReady();
    const since = performance.now();
    await on.grows(room, 20);
    await on.allIsWell([room]);
    console.log(`F15: settled ${Math.round(performance.now() - since)} ms after the node was ready again`);
  });

  it('[F15] lets one direction through alone: what was done and not answered is done once', async () => {
    const room = await on.gather('F15, one way', 8, { restless: false });
    room.begin(30);
    await on.grows(room, 10);
    here.store.swallow('toClient');
    await sleep(1_500);
    here.store.mend();
    here.store.cut();
    await on.grows(room, 20);
    here.store.swallow('toServer');
    await sleep(1_500);
    here.store.mend();
    await on.grows(room, 20);
    await on.allIsWell([room]);
  });
});

describe('a Redis whose memory is full', { timeout: 60_000 }, () => {
  it('[F5] refuses what would be written and serves what is read, evicts nothing, and goes on once there is room', async () => {
    const room = await on.gather('F5', 8);
    const { workshopId } = room;
    const watch = await onlooker(room);
    room.begin(30);
    await on.grows(room, 20);
    await on.client.config('SET', 'maxmemory', '1mb');
    try {
      await isRefusedInTime(watch, room);
      const readiness = await here.readiness();
      expect(readiness.status).toBe(503);
      const rest = restAt(here.url);
      for (const path of ['', '/events', '/attendees', '/chat'])
        expect(await rest(1, 'GET', `/api/workshops/${workshopId}${path}`)).toMatchObject({ status: 200 });
      expect(await rest(1, 'POST', `/api/workshops/${workshopId}/end`)).toMatchObject({ status: 503 });
    } finally {
      await on.client.config('SET', 'maxmemory', '0');
    }
    await isReady();
    await on.grows(room, 20);
    await on.allIsWell([room]);
  });
});

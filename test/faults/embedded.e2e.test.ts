/** The embedded server: killed, its log spoilt, its timers missed, its folder wanted by another one. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dataFolder } from '../kit/dataFolder.ts';
import { embeddedEvents } from '../kit/history/read.ts';
import { type Node, startNode } from '../kit/node.ts';
import { type Gathering, gathering, judge } from '../kit/scene.ts';
import { seeded } from '../kit/seeded.ts';
import { liveWorkshop, restAt } from '../kit/server.ts';
import { until } from '../kit/until.ts';

// Starting one takes seconds: it is the same server and the same folder in all of them, one after the other.
const folder = await dataFolder('data');
const opened: { close(): unknown }[] = [folder];
let node: Node;

beforeAll(async () => {
  node = await serve();
}, 60_000);
afterAll(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});

async function serve(shiftMs = 0): Promise<Node> {
  const served = await startNode({
    env: { DATA_DIR: folder.path, CLOCK_SHIFT_MS: String(shiftMs) },
    preload: new URL('clock.js', import.meta.url),
  });
  opened.push(served);
  return served;
}

/** Waits until so many more things were done. */
const grows = (room: Gathering, by: number) => {
  const before = room.done;
  return until(() => room.done >= before + by, { what: `${by} commands more`, timeout: 15_000 });
};

describe('a data folder', { timeout: 90_000 }, () => {
  it('[F24] is served by one process, also while that one stands still, and taken over from a dead one', async () => {
    const first = node;
    const second = () => serve();
    const isInUse = new RegExp(`in use by process ${first.pid}`);
    await expect(second()).rejects.toThrow(isInUse);
    await first.freeze();
    await expect(second()).rejects.toThrow(isInUse);
    first.thaw();
    expect((await first.readiness()).status).toBe(200);
    await first.kill();
    // Two at once: one gets it, and the other one says so.
    const both = await Promise.allSettled([second(), second()]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    for (const each of both) if (each.status === 'fulfilled') node = each.value;
  });
});

describe('an embedded server', { timeout: 90_000 }, () => {
  it('[F21] that is killed has all that it acknowledged', async () => {
    const room = await gathering({ nodes: [node.url], size: 8, chance: seeded('F21, embedded') });
    opened.push(room);
    room.begin(60);
    await grows(room, 40);
    await node.kill();
    await node.start();
    await grows(room, 20);
    const log = () => embeddedEvents(join(folder.path, 'log'));
    expect(await judge({ gatherings: [room], log })).toMatchObject({ violations: [], lost: [] });
    room.close();
  });

  it('[F23] does late, and once, what came due while it was down', async () => {
    const minute = 60_000;
    const plan = { title: 'Late', scheduledAt: new Date(Date.now() + 30 * minute).toISOString() };
    const created = await restAt(node.url)(1, 'POST', '/api/workshops', plan);
    expect(created.body).toMatchObject({ status: 'scheduled', version: 1 });
    await node.kill();
    node = await serve(20 * minute);
    const rest = restAt(node.url);
    const state = async () =>
      (await rest({ id: 1, expiresIn: 9_000 }, 'GET', `/api/workshops/${created.body.id}`)).body;
    await until(async () => (await state()).status === 'lobby', {
      what: 'the lobby to open',
      timeout: 10_000,
    });
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(await state()).toMatchObject({ status: 'lobby', version: 2 });
  });

  it('[F22] whose log is spoilt in one place refuses that workshop, and serves the others', async () => {
    // The clock of this server is still that of the test before.
    const rest: ReturnType<typeof restAt> = (user, ...asked) =>
      restAt(node.url)({ id: Number(user), expiresIn: 9_000 }, ...asked);
    const spoilt = await liveWorkshop({ rest }, [2], { description: 'byte by byte '.repeat(30) });
    const other = await liveWorkshop({ rest }, [2]);
    await node.kill();
    const file = join(folder.path, 'log', 'data.mdb');
    const bytes = readFileSync(file);
    // Pages that are no longer in use may hold the text too.
    let found = 0;
    for (let at = bytes.indexOf('byte by byte'); at !== -1; at = bytes.indexOf('byte by byte', at + 400)) {
      bytes[at] = 0x22;
      found++;
    }
    expect(found).toBeGreaterThan(0);
    writeFileSync(file, bytes);
    await node.start();
    expect([500, 503]).toContain((await rest(2, 'GET', `/api/workshops/${spoilt}`)).status);
    expect((await rest(2, 'GET', `/api/workshops/${other}`)).body).toMatchObject({
      status: 'live',
      version: 3,
    });
    expect((await rest(1, 'POST', `/api/workshops/${other}/end`)).body).toMatchObject({ changed: true });
  });
});

/** A disk that is full: under Redis, with both kinds of flushing, and under the embedded log. */
import { rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { fillDataFolder } from '../kit/dataFolder.ts';
import { embeddedEvents } from '../kit/history/read.ts';
import { type Node, startNode } from '../kit/node.ts';
import { gathering, judge } from '../kit/scene.ts';
import { seeded } from '../kit/seeded.ts';
import { restAt } from '../kit/server.ts';
import { type SmallFolder, smallFolder, withoutSmallFolders } from '../kit/smallFolder.ts';
import { until } from '../kit/until.ts';
import { stage } from './stage.ts';

if (withoutSmallFolders !== undefined) console.warn(withoutSmallFolders);

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});

/** Takes what is free in the folder, but for some bytes; returns what gives it back. May be repeated. */
function fill({ outside }: SmallFolder, leaving: number): () => void {
  const file = join(outside, 'filler');
  try {
    for (;;) writeFileSync(file, Buffer.alloc(4_096), { flag: 'a' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
  // Cut, not written anew: whoever else writes there must not get in between.
  truncateSync(file, Math.max(0, statSync(file).size - leaving));
  return () => rmSync(file);
}

/**
 * Fills it until the node has refused a command for it. The log reuses pages inside of its file, so that what is small may still
 * be written on a full disk, `/readyz`'s own trial too: that a command is refused or kept is the promise.
 */
async function fillUp(place: SmallFolder, node: Node): Promise<() => void> {
  const rest = restAt(node.url);
  const plan = { title: 'Much', scheduledAt: new Date().toISOString(), description: 'much '.repeat(900) };
  const isFull = async () => {
    fill(place, 0);
    return (await rest(1, 'POST', '/api/workshops', plan)).status === 503;
  };
  await until(isFull, { what: 'the node to refuse commands', timeout: 30_000 });
  return () => rmSync(join(place.outside, 'filler'));
}

const says = (node: Node, status: number) =>
  until(async () => (await node.readiness()).status === status, {
    what: `the node to say ${status}`,
    timeout: 15_000,
  });

describe.skipIf(withoutSmallFolders)('a full disk', { timeout: 90_000 }, () => {
  it('[F6] stops Redis, and after it nothing that was acknowledged is missing', async () => {
    const place = await smallFolder(8_192);
    opened.push(place);
    const on = await stage({ redis: { place }, nodes: [{}] });
    opened.push(on);
    const node = on.nodes[0] as Node;
    const room = await on.gather('F6', 8);
    const { workshopId } = room;

    // Flushed each second: Redis goes on, takes no more writes, and recovers by itself.
    await on.client.config('SET', 'appendfsync', 'everysec');
    room.begin(60);
    await on.grows(room, 20);
    const free = fill(place, 8_192);
    await says(node, 503);
    expect(await on.client.set('x', '1').catch((error: Error) => error.message)).toContain('MISCONF');
    const rest = restAt(node.url);
    expect(await rest(1, 'GET', `/api/workshops/${workshopId}/events`)).toMatchObject({ status: 200 });
    expect(await rest(1, 'POST', `/api/workshops/${workshopId}/end`)).toMatchObject({ status: 503 });
    free();
    await says(node, 200);
    await on.grows(room, 20);

    // Flushed before each answer: Redis ends, since it could not keep what it says.
    await on.client.config('SET', 'appendfsync', 'always');
    const freeAgain = fill(place, 8_192);
    await until(() => !on.redis.isRunning(), { what: 'Redis to end', timeout: 15_000 });
    await says(node, 503);
    freeAgain();
    await on.redis.start();
    await says(node, 200);
    await on.grows(room, 20);
    await on.allIsWell([room]);
  });

  it('[F7] refuses commands of an embedded server, which goes on once there is room, and keeps what it acknowledged', async () => {
    const place = await smallFolder(131_072);
    opened.push(place);
    await fillDataFolder(place.outside);
    const node = await startNode({ env: { DATA_DIR: place.path }, within: place.within });
    opened.push(node);
    const room = await gathering({ nodes: [node.url], size: 6, chance: seeded('F7') });
    opened.push(room);
    const rest = restAt(node.url);
    const state = async () => (await rest(1, 'GET', `/api/workshops/${room.workshopId}`)).body;
    const grows = async (by: number) => {
      const { version } = await state();
      await until(async () => (await state()).version >= version + by, {
        what: 'it to go on',
        timeout: 15_000,
      });
    };
    room.begin(40);
    await grows(20);
    const free = await fillUp(place, node);
    expect((await rest(1, 'GET', `/api/workshops/${room.workshopId}/events`)).status).toBe(200);
    free();
    await says(node, 200);
    await grows(20);

    // Full again, and killed in the middle of it.
    const freeAgain = await fillUp(place, node);
    await node.kill();
    freeAgain();
    await node.start();
    await grows(20);
    const log = () => embeddedEvents(join(place.outside, 'log'));
    expect((await judge({ gatherings: [room], log })).violations).toEqual([]);
  });
});

/** A room that follows the log, on a log that can be made unreadable. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fold } from '../../src/domain/evolve.ts';
import { roomText } from '../../src/domain/roomText.ts';
import { type Engine, workshopEngine } from '../../src/engine/engine.ts';
import { type FollowedRoom, followedRoom, type RoomChanges } from '../../src/lib/socket/followedRoom.ts';
import { embeddedLog } from '../../src/log/embedded/log.ts';
import type { EventLog } from '../../src/log/log.ts';
import { host, ok, send } from '../engine/nodes.ts';
import { temporaryFolder } from '../kit/folder.ts';
import { until } from '../kit/until.ts';

const workshopId = 1;

let folder: ReturnType<typeof temporaryFolder>;
let log: EventLog;
let engine: Engine;
let isReadable: boolean;
let seen: string[];
let room: FollowedRoom;

beforeEach(async () => {
  folder = temporaryFolder('followed');
  log = await embeddedLog({ path: `${folder.path}/log` });
  engine = workshopEngine({ log, node: 'a' });
  isReadable = true;
  seen = [];
  const scheduledAt = new Date().toISOString();
  await ok(send({ engine }, workshopId, host, 'schedule-workshop', { title: 'Followed', scheduledAt }));
});
afterEach(async () => {
  room.close();
  await engine.close();
  await log.close();
  await folder.close();
});

const untold: RoomChanges = {
  before: () => undefined,
  followsAgain: () => undefined,
  epochBegan: () => undefined,
  startedAnew: () => undefined,
  missing: async () => undefined,
  failed: () => undefined,
};

/** Writes down what it is told. */
function follow(): FollowedRoom {
  const head: EventLog['events']['head'] = async (id) => {
    if (!isReadable) throw new Error('the stream cannot be read');
    return log.events.head(id);
  };
  const changes: RoomChanges = {
    before: () => undefined,
    followsAgain: () => seen.push('follows again'),
    epochBegan: () => seen.push('epoch began'),
    startedAnew: () => seen.push('started anew'),
    missing: async () => undefined,
    failed: () => seen.push('failed'),
  };
  room = followedRoom({ ...log, events: { ...log.events, head } }, workshopId, changes);
  return room;
}

describe('a room that follows the log', () => {
  it('tries again until the log can be read', async () => {
    isReadable = false;
    const { ready, isReading } = follow();
    const { done } = ready();
    await until(() => seen.length === 2, { what: 'two failures' });
    expect(isReading()).toBe(true);
    isReadable = true;
    await done;
    expect(seen.at(-1)).toBe('follows again');
    expect(room.room()).toMatchObject({ version: 1, title: 'Followed' });
    expect(isReading()).toBe(false);
  });

  it('is compared once more where the feed lost track while it was being read, and keeps nobody waiting meanwhile', async () => {
    isReadable = false;
    const reading = follow().ready();
    await until(() => seen.includes('failed'), { what: 'a failure' });
    const { done, failed } = room.compare();
    await failed;
    isReadable = true;
    await Promise.all([reading.done, done]);
    expect(room.isReading()).toBe(false);
    expect(seen.at(-1)).toBe('follows again');
    expect(room.room().version).toBe(1);
  });

  it('closes while the log cannot be read, and whoever waits for it goes on', async () => {
    const reading = follow().ready();
    await reading.done;
    isReadable = false;
    const comparing = room.compare();
    // Others of the feed go on.
    await comparing.failed;
    expect(seen).toContain('failed');
    const failures = seen.length;
    room.close();
    await comparing.done;
    await room.compare().done;
    expect(room.isReading()).toBe(false);
    expect(seen).toHaveLength(failures);
  });

  it('closes before it was read for the first time', async () => {
    isReadable = false;
    const reading = follow().ready();
    await until(() => seen.includes('failed'), { what: 'a failure' });
    room.close();
    await reading.done;
    expect(seen).not.toContain('follows again');
  });
});

describe('a room that was kept', () => {
  it('[G2] is gone on from, and what a resume asks for is at hand as if it had been read from the first event on', async () => {
    const { workshopId: id } = await log.ids.allocate();
    const scheduledAt = new Date().toISOString();
    const alone = { engine };
    await ok(send(alone, id, host, 'schedule-workshop', { title: 'Long', scheduledAt }));
    await ok(send(alone, id, host, 'start', {}));
    await ok(send(alone, id, host, 'join', {}));
    const say = (count: number) =>
      Promise.all(
        Array.from({ length: count }, (_, n) => ok(send(alone, id, host, 'chat', { message: `${n}` }))),
      );
    await say(1_200);
    const { epoch } = (await log.events.head(id)) ?? { epoch: '' };
    await log.snapshots.keep(id, {
      ...{ version: 1_200, epoch },
      room: roomText(fold(id, await log.events.read(id, 0, 1_200))),
    });
    await say(10);
    let read = 0;
    const counting: EventLog['events']['read'] = async (...asked) => {
      const events = await log.events.read(...asked);
      read += events.length;
      return events;
    };
    const changes = { ...untold, failed: (error: unknown) => seen.push(String(error)) };
    room = followedRoom({ ...log, events: { ...log.events, read: counting } }, id, changes);
    await room.ready().done;
    expect(seen).toEqual([]);
    expect(read).toBe(1_024 + 13);
    const events = await log.events.read(id, 0, 2_000);
    expect(room.room()).toEqual(fold(id, events));
    expect(room.since(1_200 - 1_024)?.map(({ version }) => version)).toEqual(
      events.slice(1_200 - 1_024).map(({ version }) => version),
    );
    expect(room.since(1_200 - 1_025)).toBeUndefined();
    expect(room.fresh()).toEqual([]);
  });
});

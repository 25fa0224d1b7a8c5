/** What a node keeps of rooms in memory, and what it takes them up from when they come back. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EngineObserver } from '../../src/engine/engine.ts';
import { workshopEngine } from '../../src/engine/engine.ts';
import { engineRooms } from '../../src/engine/rooms.ts';
import { embeddedLog } from '../../src/log/embedded/log.ts';
import type { EventLog } from '../../src/log/log.ts';
import { type TemporaryFolder, temporaryFolder } from '../kit/folder.ts';
import { until } from '../kit/until.ts';
import { codeOf, host, liveWorkshop, ok, replayed, send, user } from './nodes.ts';

let folder: TemporaryFolder;
let log: EventLog;
/** Events that were read from the log. */
let read = 0;

beforeEach(async () => {
  folder = temporaryFolder('rooms');
  const opened = await embeddedLog({ path: folder.path });
  read = 0;
  log = {
    ...opened,
    events: {
      ...opened.events,
      async read(...asked) {
        const events = await opened.events.read(...asked);
        read += events.length;
        return events;
      },
    },
  };
});

afterEach(async () => {
  await log.close();
  await folder.close();
});

function node(roomBytes?: number, observer: EngineObserver = {}) {
  const engine = workshopEngine({ log, node: 'a', observer, ...(roomBytes !== undefined && { roomBytes }) });
  return { log, engine };
}

async function chatted(here: ReturnType<typeof node>, messages: number): Promise<number> {
  const id = await liveWorkshop(here, [2]);
  const said = Array.from({ length: messages }, (_, n) =>
    ok(send(here, id, user(2), 'chat', { message: `message ${n}` })),
  );
  await Promise.all(said);
  return id;
}

describe('rooms of a node', () => {
  it('[G1] more than two thousand of them are kept while they are light, and none is read again', async () => {
    const here = node();
    const scheduledAt = new Date().toISOString();
    const ids: number[] = [];
    for (let n = 0; n < 25; n++)
      await Promise.all(
        Array.from({ length: 100 }, async () => {
          const { workshopId } = await log.ids.allocate();
          ids.push(workshopId);
          await ok(send(here, workshopId, host, 'schedule-workshop', { title: 'Many', scheduledAt }));
        }),
      );
    for (let n = 0; n < ids.length; n += 100) {
      const some = ids.slice(n, n + 100);
      await Promise.all(
        some.map((id) => ok(send(here, id, host, 'update-workshop', { title: 'Once more' }))),
      );
    }
    expect(read).toBe(0);
  });

  it('[G1] the one that was unused for longest goes first, where they are too heavy together', async () => {
    const here = node(50_000);
    const ids: number[] = [];
    for (let n = 0; n < 5; n++) ids.push(await chatted(here, 60));
    const [first = 0, , , , last = 0] = ids;

    read = 0;
    await ok(send(here, last, user(2), 'raise-hand', {}));
    expect(read).toBe(0);
    await ok(send(here, first, user(2), 'raise-hand', {}));
    expect(read).toBeGreaterThan(0);
  });

  it('[G1] workshops that do not exist push nothing out', async () => {
    const here = node(50_000);
    const id = await chatted(here, 60);
    read = 0;
    const unknown = Array.from({ length: 500 }, (_, n) => 1_000_000 + n);
    await Promise.all(
      unknown.map(async (each) => {
        expect(await codeOf(send(here, each, user(2), 'raise-hand', {}))).toBe('not_found');
        expect(await here.engine.room(each)).toBeUndefined();
      }),
    );
    await ok(send(here, id, user(2), 'raise-hand', {}));
    expect(read).toBe(0);
  });

  it('[G2] one that was let go of is taken up where it was, and not from its first event', async () => {
    const failures: unknown[] = [];
    const here = node(1, { failed: (error) => failures.push(error) });
    const id = await chatted(here, 400);
    await until(async () => (await log.snapshots.read(id)) !== null, { what: 'the room to be kept' });
    read = 0;
    await ok(send(here, id, user(2), 'raise-hand', {}));
    expect(read).toBeLessThan(250);
    expect((await here.engine.room(id))?.room).toEqual(await replayed(log, id));
    expect(failures).toEqual([]);
  });

  it('[G2] a node that had to read much leaves a room behind for the next one', async () => {
    const id = await chatted(node(), 400);
    await node().engine.room(id);
    await until(async () => (await log.snapshots.read(id)) !== null, { what: 'the room to be kept' });
    read = 0;
    const { room } = (await node().engine.room(id)) ?? {};
    expect(read).toBe(1);
    expect(room).toEqual(await replayed(log, id));
  });

  it('[G2] a room of events that were rewritten, or of another fold, is not used', async () => {
    const id = await chatted(node(), 400);
    const { epoch = '', room } = (await node().engine.room(id)) ?? {};
    await until(async () => (await log.snapshots.read(id)) !== null, { what: 'the room to be kept' });
    await log.streams.rewrite(id, ({ type, data }) =>
      type === 'chat-message' ? { ...(data as object), message: null, deleted: true } : data,
    );
    const after = (await node().engine.room(id))?.room;
    expect(after?.chat.map(({ message }) => message)).toEqual(Array(50).fill(null));
    const head = await log.events.head(id);
    expect(head?.epoch).not.toBe(epoch);
    const other = JSON.stringify({ reducer: 0, plain: { ...room, title: 'of another fold' } });
    const { workshopId } = await log.ids.allocate();
    const scheduledAt = new Date().toISOString();
    await ok(send(node(), workshopId, host, 'schedule-workshop', { title: 'Bread', scheduledAt }));
    const fresh = await log.events.head(workshopId);
    await log.snapshots.keep(workshopId, { version: 1, epoch: fresh?.epoch ?? '', room: other });
    expect((await node().engine.room(workshopId))?.room.title).toBe('Bread');
  });

  it('[G1] one that grows while it is idle is weighed again, and pushes out what does not fit beside it', async () => {
    const here = node();
    const [growing, other] = [await chatted(here, 1), await chatted(here, 1)];
    const rooms = engineRooms({ log, most: 26_000, failed: () => undefined });
    for (const id of [growing, other]) {
      const cached = rooms.use(id);
      const { room, epoch } = (await here.engine.room(id)) ?? {};
      Object.assign(cached, { room: structuredClone(room), epoch, loaded: true });
      rooms.release(cached);
    }
    expect(rooms.size).toBe(2);
    await Promise.all(
      Array.from({ length: 300 }, (_, n) =>
        ok(send(here, growing, user(2), 'chat', { message: `more ${n}` })),
      ),
    );
    const { version, epoch = '' } = (await log.events.head(growing)) ?? {};
    const from = (await replayed(log, growing)).version - 299;
    const events = await log.events.read(growing, from - 1, 300);
    rooms.follow({ workshopId: growing, from, to: version ?? 0, epoch, events: () => events });
    // It weighs almost all that idle rooms may weigh together.
    expect(rooms.size).toBe(1);
  });

  it('[G1] one that takes longer to read than a command may wait is read once, and then answers', async () => {
    const id = await chatted(node(), 30);
    let opens = () => {};
    const isOpen = new Promise<void>((resolve) => {
      opens = resolve;
    });
    let readings = 0;
    const slow: EventLog = {
      ...log,
      events: {
        ...log.events,
        async read(...asked) {
          readings++;
          await isOpen;
          return log.events.read(...asked);
        },
      },
    };
    const engine = workshopEngine({ log: slow, node: 'slow' });
    expect(await codeOf(send({ engine }, id, user(2), 'raise-hand', {}))).toBe('unavailable');
    const again = codeOf(send({ engine }, id, user(2), 'raise-hand', {}));
    await sleep(50);
    expect(readings).toBe(1);
    opens();
    expect(await again).toBe('changed');
    expect(readings).toBe(1);
    await engine.close();
  });

  it('[G1] a room that is over is let go of', async () => {
    const rooms = engineRooms({ log, overMs: 20, failed: () => undefined });
    const here = node();
    const use = async (id: number) => {
      const cached = rooms.use(id);
      Object.assign(cached, { room: await replayed(log, id), loaded: true });
      rooms.release(cached);
    };
    const [ended, open] = [await liveWorkshop(here), await liveWorkshop(here)];
    await ok(send(here, ended, host, 'end', {}));
    for (const id of [ended, open]) await use(id);
    expect(rooms.size).toBe(2);
    await sleep(30);
    await use(open);
    expect(rooms.size).toBe(1);
  });
});

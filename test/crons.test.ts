/** Timers on a clock that the test moves, with two nodes that both look after them. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runTimers } from '../src/crons.ts';
import { type Engine, workshopEngine } from '../src/engine/engine.ts';
import { embeddedLog } from '../src/log/embedded/log.ts';
import type { EventLog } from '../src/log/log.ts';
import { history, host, ok, send, user } from './engine/nodes.ts';
import { temporaryFolder } from './kit/folder.ts';

const minute = 60_000;
const settings = { lobbyOpensMinutes: 15, maxLiveHours: 12, hostAbsentMinutes: 30 };

let folder: ReturnType<typeof temporaryFolder>;
let clock: number;
let log: EventLog;
let engines: Engine[];

async function open(): Promise<void> {
  log = await embeddedLog({ path: `${folder.path}/log`, now: () => clock });
  engines = ['a', 'b'].map((node) => workshopEngine({ log, node }));
}

async function close(): Promise<void> {
  for (const engine of engines) await engine.close();
  await log.close();
}

beforeEach(async () => {
  folder = temporaryFolder('crons');
  clock = Date.parse('2026-05-01T10:00:00Z');
  await open();
});
afterEach(async () => {
  await close();
  await folder.close();
});

/** Both nodes look at the same time, as often as it takes until nothing is due. */
async function look(): Promise<void> {
  for (let round = 0; round < 4; round++)
    await Promise.all(
      engines.map((engine) => {
        const failed = (error: unknown) => expect(error).toBeUndefined();
        return runTimers({ engine, log, timers: settings, failed });
      }),
    );
}

const node = () => ({ engine: engines[0] as Engine });

async function scheduled(inMinutes: number): Promise<number> {
  const { workshopId } = await log.ids.allocate();
  const scheduledAt = new Date(clock + inMinutes * minute).toISOString();
  await ok(send(node(), workshopId, host, 'schedule-workshop', { title: 'Timed', scheduledAt }));
  await look();
  return workshopId;
}

async function bySystem(workshopId: number): Promise<string[]> {
  const events = await history(log, workshopId);
  return events
    .filter(({ by }) => by === 'system')
    .map(
      ({ data, at }) => `${(data as { status: string }).status} ${new Date(at).toISOString().slice(11, 16)}`,
    );
}

async function pass(minutes: number): Promise<void> {
  clock += minutes * minute;
  await look();
}

describe('timers', () => {
  it('[C1] open the lobby a quarter of an hour before the time, once however many nodes look', async () => {
    const id = await scheduled(60);
    await pass(44);
    expect(await bySystem(id)).toEqual([]);
    await pass(1);
    expect(await bySystem(id)).toEqual(['lobby 10:45']);
    await pass(10);
    expect(await bySystem(id)).toEqual(['lobby 10:45']);
  });

  it('[C2] leave a workshop one minute before they open its lobby, however soon it begins', async () => {
    const id = await scheduled(1);
    expect(await bySystem(id)).toEqual([]);
    await pass(1);
    expect(await bySystem(id)).toEqual(['lobby 10:01']);
  });

  it('[C3] follow a workshop whose time is changed', async () => {
    const id = await scheduled(60);
    const scheduledAt = new Date(clock + 120 * minute).toISOString();
    await ok(send(node(), id, host, 'update-workshop', { scheduledAt }));
    await look();
    await pass(100);
    expect(await bySystem(id)).toEqual([]);
    await pass(5);
    expect(await bySystem(id)).toEqual(['lobby 11:45']);
  });

  it('[C4] cancel what nobody started for a day', async () => {
    const id = await scheduled(0);
    await pass(24 * 60 - 1);
    expect(await bySystem(id)).toHaveLength(1);
    await pass(1);
    expect((await bySystem(id)).at(-1)).toBe('cancelled 10:00');
  });

  it('[C5] end what runs for too long', async () => {
    const id = await scheduled(60);
    await ok(send(node(), id, host, 'join', {}));
    await ok(send(node(), id, host, 'start', {}));
    await pass(12 * 60 - 1);
    expect(await bySystem(id)).toEqual([]);
    await pass(1);
    expect(await bySystem(id)).toEqual(['ended 22:00']);
  });

  it('[C6] end what neither host nor co-host came back to', async () => {
    const id = await scheduled(60);
    await ok(send(node(), id, host, 'join', {}));
    await ok(send(node(), id, host, 'start', {}));
    await ok(send(node(), id, user(2), 'rsvp', {}));
    await ok(send(node(), id, host, 'promote-cohost', { targetUserId: 2 }));
    await pass(20);
    await ok(send(node(), id, host, 'leave', {}));
    await pass(29);
    await ok(send(node(), id, user(2), 'join', {}));
    await pass(60);
    expect(await bySystem(id)).toEqual([]);
    await ok(send(node(), id, user(2), 'leave', {}));
    await pass(29);
    expect(await bySystem(id)).toEqual([]);
    await pass(1);
    expect(await bySystem(id)).toEqual(['ended 12:19']);
  });

  it('[C7] that were missed while nothing ran fire once afterwards', async () => {
    const id = await scheduled(60);
    await close();
    clock += 120 * minute;
    await open();
    await look();
    expect(await bySystem(id)).toEqual(['lobby 12:00']);
  });
});

describe('many workshops that are due at once', () => {
  async function due(count: number): Promise<number[]> {
    const scheduledAt = new Date(clock + 60 * minute).toISOString();
    const ids = await Promise.all(
      Array.from({ length: count }, async () => {
        const { workshopId } = await log.ids.allocate();
        await ok(send(node(), workshopId, host, 'schedule-workshop', { title: 'Timed', scheduledAt }));
        return workshopId;
      }),
    );
    await look();
    clock += 45 * minute;
    return ids;
  }

  it('[C9] are all brought about in one go, whatever their number', async () => {
    const ids = await due(1_000);
    const engine = node().engine;
    await runTimers({ engine, log, timers: settings, failed: (error) => expect(error).toBeUndefined() });
    const statuses = await Promise.all(ids.map(async (id) => (await engine.room(id))?.room.status));
    expect(new Set(statuses)).toEqual(new Set(['lobby']));
  });

  it('[C9] are shared by the nodes: each is looked at by one of them', async () => {
    const ids = await due(400);
    const looks = new Map<number, number>();
    const counted = (engine: Engine): Engine => ({
      ...engine,
      room(id) {
        looks.set(id, (looks.get(id) ?? 0) + 1);
        return engine.room(id);
      },
      // What it brings about wakes it once more.
      async handle(request) {
        looks.set(request.workshopId, (looks.get(request.workshopId) ?? 0) - 1);
        return engine.handle(request);
      },
    });
    const failed = (error: unknown) => expect(error).toBeUndefined();
    await Promise.all(
      engines.map((engine) => runTimers({ engine: counted(engine), log, timers: settings, failed })),
    );
    await look();
    expect(ids.map((id) => looks.get(id) ?? 0).filter((count) => count > 1)).toEqual([]);
    for (const id of ids) expect(await bySystem(id)).toHaveLength(1);
  });

  it('[C9] what a node has taken and not done is done by another one later', async () => {
    const [id = 0] = await due(1);
    expect(await log.timers.claim(10, 10_000)).toEqual([id]);
    await look();
    expect(await bySystem(id)).toEqual([]);
    clock += 10_000;
    await look();
    expect(await bySystem(id)).toHaveLength(1);
  });
});

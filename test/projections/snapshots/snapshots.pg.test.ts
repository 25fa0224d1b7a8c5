/** Snapshots beside the projector's commits: written when they are due, of nothing that must not be kept, never in its way. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../../projections/database/database.ts';
import { storedEvents } from '../../../projections/events/queries.ts';
import { roomOf, snapshotText } from '../../../projections/snapshots/room.ts';
import { roomSnapshots, type Snapshots } from '../../../projections/snapshots/snapshots.ts';
import { type Histories, snapshotInterval, writeSnapshots } from '../../../projections/snapshots/write.ts';
import { type Projector, projector } from '../../../projections/worker/projector.ts';
import { foldedVersion } from '../../../projections/workshops/queries.ts';
import { fold, type RecordedEvent } from '../../../src/domain/evolve.ts';
import { workshopHistory } from '../../../src/history/history.ts';
import { until } from '../../kit/until.ts';
import { type ArrayLog, arrayLog } from '../arrayLog.ts';
import { databases } from '../databases.ts';
import { projecting } from '../projecting.ts';
import { event, scheduledEvent, story } from '../story.ts';

const at = Date.parse('2026-05-01T09:00:00.123Z');
const scheduled = scheduledEvent(at);
const said = (n: number) =>
  event('chat-message', { userId: 2, displayName: 'Ana', avatarUrl: null, message: `secret ${n}` }, at + n);
const invited = (n: number) => event('user-invited', { userId: n }, at + n);
/** `count` events from the beginning, or going on after `after`. */
const talk = (count: number, after = 0): RecordedEvent[] =>
  Array.from({ length: count }, (_, index) => {
    const n = after + index;
    if (n === 0) return scheduled;
    return n % 10 === 0 ? invited(1_000 + n) : said(n);
  });

describe.each(databases)('on $kind', ({ open }) => {
  let snapshots: Snapshots;
  let database: Database;
  const here = projecting(open, 'projection_checkpoints');
  const { nextId } = here;
  beforeAll(() => {
    database = here.database;
    snapshots = roomSnapshots(database);
  });

  const historiesOf = (log: ArrayLog) => workshopHistory(log.events, storedEvents(database));

  const project = (log: ArrayLog, histories: Histories = historiesOf(log)): Projector =>
    here.project({ log, histories });

  interface Row {
    version: number;
    reducer: number;
    eventId: string;
    room: string;
  }

  async function rowsOf(workshopId: number): Promise<Row[]> {
    const rows = await database.query(
      `select version, reducer, event_id, room from workshop_snapshots
       where workshop_id = $1::bigint and version > 0 order by reducer, version`,
      [workshopId],
    );
    return rows.map((row) => ({
      ...{ version: Number(row.version), reducer: Number(row.reducer) },
      ...{ eventId: String(row.event_id), room: String(row.room) },
    }));
  }
  const versionsOf = async (id: number) => (await rowsOf(id)).map(({ version }) => version);
  const hasSnapshots = (id: number, ...versions: number[]) =>
    until(async () => String(await versionsOf(id)) === String(versions), {
      what: `snapshots ${versions} of workshop ${id}`,
      timeout: 20_000,
    });

  it('[T9] one is written whenever a workshop has 2,000 more events, also of what was there before', async () => {
    const log = arrayLog();
    const id = nextId();
    log.append(id, talk(1_990));
    const first = project(log);
    await until(async () => (await foldedVersion(database, id)) === 1_990, {
      what: 'the tables',
      timeout: 15_000,
    });
    log.append(id, talk(20, 1_990));
    await hasSnapshots(id, snapshotInterval);
    await first.close();
    // Nobody writes snapshots for a while: they are made up for by who comes next.
    const without = projector({ log, database, node: 'b', leaseMs: 900 });
    log.append(id, talk(4_500, 2_010));
    await until(async () => (await foldedVersion(database, id)) === 6_510, {
      what: 'the tables',
      timeout: 15_000,
    });
    await without.close();
    expect(await versionsOf(id)).toEqual([2_000]);
    project(log);
    await hasSnapshots(id, 2_000, 4_000, 6_000);
    for (const { version, eventId, room } of await rowsOf(id)) {
      const events = await log.events.read(id, 0, version);
      expect(eventId).toBe(events.at(-1)?.eventId);
      const { chat, authors: _, deleted: __, ...rest } = fold(id, events);
      expect(roomOf(room)).toEqual({
        room: { ...rest, chat: [], authors: new Map(), deleted: new Set() },
        chat: chat.map((line) => line.id),
      });
    }
  }, 60_000);

  it('[T10] one holds nothing that was said', async () => {
    const id = nextId();
    const events = talk(60).map((each, index) => ({ ...each, version: index + 1 }));
    const text = snapshotText({ room: fold(id, events), chat: [] });
    expect(text).not.toContain('secret');
    expect(text).toContain('Title');
  });

  it('[T9] a failure is told of, tried again and keeps nothing from being projected', async () => {
    const log = arrayLog();
    const [bad, good] = [nextId(), nextId()];
    let failures = 0;
    const histories: Histories = {
      async open(id) {
        if (id === bad && failures++ < 1) throw new Error('the history is away');
        return historiesOf(log).open(id);
      },
    };
    project(log, histories);
    log.append(bad, talk(2_001));
    log.append(good, talk(2_001));
    await hasSnapshots(good, 2_000);
    await hasSnapshots(bad, 2_000);
    expect(failures).toBeGreaterThan(1);
    expect(here.seen.filter(({ type }) => type === 'error')).toMatchObject([
      { error: { message: 'the history is away' } },
    ]);
    expect(await foldedVersion(database, bad)).toBe(2_001);
  }, 60_000);

  it('[T7] those of events that the log lost go with the rows of these events', async () => {
    const log = arrayLog();
    const id = nextId();
    log.append(id, talk(4_100));
    project(log);
    await hasSnapshots(id, 2_000, 4_000);
    log.lose(id, 3_000);
    log.append(id, talk(50, 3_000));
    await until(() => here.seen.some(({ type }) => type === 'diverged'), {
      what: 'the loss',
      timeout: 15_000,
    });
    await hasSnapshots(id, 2_000);
    log.append(id, talk(1_000, 3_050));
    await hasSnapshots(id, 2_000, 4_000);
    const [, last] = await rowsOf(id);
    expect(last?.eventId).toBe((await log.events.read(id, 3_999, 1))[0]?.eventId);
  }, 60_000);

  it('[T7] those of another fold are not used, and go once there are new ones', async () => {
    const log = arrayLog();
    const id = nextId();
    log.append(id, talk(250));
    const histories = historiesOf(log);
    const [old, young] = [roomSnapshots(database, 901), roomSnapshots(database, 902)];
    expect(await writeSnapshots(id, { histories, snapshots: old, interval: 100 })).toBe(2);
    expect(await young.before(id, { version: 250 })).toBeUndefined();
    expect(await old.before(id, { version: 250 })).toMatchObject({ version: 200 });
    expect(await writeSnapshots(id, { histories, snapshots: young, interval: 100 })).toBe(2);
    expect((await rowsOf(id)).map(({ reducer }) => reducer)).toEqual([902, 902]);
  });

  it('[T9] writing goes on from the last one, however often it is broken off', async () => {
    const log = arrayLog();
    const id = nextId();
    for (const append of story(5, 300)) log.append(id, append);
    const { version = 0 } = (await log.events.head(id)) ?? {};
    const wanted = Array.from({ length: Math.floor(version / 30) }, (_, index) => (index + 1) * 30);
    let reads = 0;
    const counting: ArrayLog = {
      ...log,
      events: {
        ...log.events,
        read: (...asked) => {
          reads++;
          return log.events.read(...asked);
        },
      },
    };
    for (let round = 0; round < wanted.length; round++) {
      const breaking: Snapshots = {
        ...snapshots,
        async put(...given) {
          await snapshots.put(...given);
          throw new Error('broken off');
        },
      };
      await expect(
        writeSnapshots(id, { histories: historiesOf(log), snapshots: breaking, interval: 30 }),
      ).rejects.toThrow('broken off');
    }
    expect(await versionsOf(id)).toEqual(wanted);
    expect(await writeSnapshots(id, { histories: historiesOf(counting), snapshots, interval: 30 })).toBe(0);
    // The last snapshot's event, and what follows on it.
    expect(reads).toBeLessThanOrEqual(3);
  });

  it('[T11] what was folded before they were deleted is not written after', async () => {
    const log = arrayLog();
    const id = nextId();
    log.append(id, talk(250));
    let deleted = false;
    const histories: Histories = {
      async open(workshopId) {
        const history = await historiesOf(log).open(workshopId);
        if (history === undefined) return undefined;
        return {
          ...history,
          async *pages(...asked: [number?, number?]) {
            for await (const page of history.pages(...asked)) {
              // Now, with a name in memory that is to be forgotten.
              if (!deleted) await snapshots.remove(workshopId);
              deleted = true;
              yield page;
            }
          },
        };
      },
    };
    expect(await writeSnapshots(id, { histories, snapshots, interval: 100 })).toBe(0);
    expect(await rowsOf(id)).toEqual([]);
    expect(await writeSnapshots(id, { histories, snapshots, interval: 100 })).toBe(2);
    await snapshots.remove(id);
    expect(await rowsOf(id)).toEqual([]);
  });

  it('[T11] nor where somebody else has begun to write them anew meanwhile', async () => {
    const log = arrayLog();
    const id = nextId();
    log.append(id, talk(250));
    const first = await snapshots.begin(id);
    await snapshots.remove(id);
    const second = await snapshots.begin(id);
    expect(second).not.toBe(first);
    const snapshot = { version: 100, eventId: 'e100', at, room: 'of somebody who is to be forgotten' };
    expect(await snapshots.put(id, first, snapshot)).toBe(false);
    expect(await rowsOf(id)).toEqual([]);
    expect(await snapshots.put(id, second, snapshot)).toBe(true);
    await snapshots.remove(id);
  });

  it('the newest within the bound is found, by version and by time', async () => {
    const log = arrayLog();
    const id = nextId();
    log.append(id, talk(250));
    await writeSnapshots(id, { histories: historiesOf(log), snapshots, interval: 100 });
    const [event] = await log.events.read(id, 199, 1);
    const time = event?.at ?? Number.NaN;
    expect(await snapshots.before(id, { version: 99 })).toBeUndefined();
    expect(await snapshots.before(id, { version: 199 })).toMatchObject({ version: 100 });
    expect(await snapshots.before(id, { version: 200 })).toMatchObject({ version: 200, at: time });
    expect(await snapshots.before(id, { version: 250, at: time })).toMatchObject({ version: 200 });
    expect(await snapshots.before(id, { version: 250, at: time - 1 })).toMatchObject({ version: 100 });
    expect(await snapshots.before(id, { version: 250, at: 8.64e15 })).toMatchObject({ version: 200 });
  });
});

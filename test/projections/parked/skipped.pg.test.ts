/** Events that an operator gives up: what is left out, what is kept, and that a rebuild does the same. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../../projections/database/database.ts';
import { skipParked } from '../../../projections/parked/skip.ts';
import { rebuildsLeft, requestRebuild } from '../../../projections/rebuild/request.ts';
import { listParked, projectionStatus } from '../../../projections/worker/status.ts';
import { foldedVersion } from '../../../projections/workshops/queries.ts';
import type { RecordedEvent } from '../../../src/domain/evolve.ts';
import { until } from '../../kit/until.ts';
import { type ArrayLog, arrayLog } from '../arrayLog.ts';
import { databases } from '../databases.ts';
import { expectedTables } from '../expected.ts';
import { projecting } from '../projecting.ts';
import { event, scheduledEvent } from '../story.ts';
import { tablesOf } from '../tables.ts';

const at = Date.parse('2026-05-01T09:00:00.123Z');
const scheduled = scheduledEvent(at);
const joined = (userId: number) =>
  event(
    'user-joined',
    {
      ...{ userId, displayName: `P${userId}`, avatarUrl: null },
      ...{ isHost: userId === 1, isCoHost: false, canSpeak: userId === 1 },
    },
    at,
    userId,
  );
const chat = (message: unknown) =>
  event('chat-message', { userId: 1, displayName: 'P1', avatarUrl: null, message }, at);

describe.each(databases)('on $kind', ({ open }) => {
  let database: Database;
  const here = projecting(open, 'projection_checkpoints', 'projection_parked');
  const { reached, nextId } = here;
  beforeAll(() => {
    database = here.database;
  });

  const project = (log: ArrayLog) => here.project({ log, batchSize: 10 });

  async function parkedAt(workshopId: number, version: number): Promise<void> {
    const isParked = async () =>
      (await listParked(database)).some((each) => each.workshopId === workshopId && each.version === version);
    await until(isParked, { what: `workshop ${workshopId} to be parked at ${version}`, timeout: 15_000 });
  }

  async function rebuilt(): Promise<void> {
    await requestRebuild(database);
    await until(async () => (await rebuildsLeft(database)) === 0, { what: 'the rebuild', timeout: 15_000 });
  }

  const skip = (log: ArrayLog, workshopId: number, version: number) =>
    skipParked(database, log, { workshopId, version, by: 'user 7' });

  /** The tables as if the event had changed nothing; its own row is looked at by itself. */
  function without(events: RecordedEvent[], version: number) {
    const all = events.map((each, index) => ({ ...each, version: index + 1 }));
    const nothing = { ...event('nothing-known', {}, at), version };
    const tables = expectedTables(all.map((each) => (each.version === version ? nothing : each)));
    return { ...tables, events: tables.events.filter((row) => row.version !== version) };
  }

  async function tablesWithout(workshopId: number, version: number) {
    const tables = await tablesOf(database, workshopId);
    return { ...tables, events: tables.events.filter((row) => row.version !== version) };
  }

  const keptRow = async (workshopId: number, version: number) =>
    (await tablesOf(database, workshopId)).events.find((row) => row.version === version);

  it.each([
    ['that the fold does not take', event('user-joined', null, at), { type: 'user-joined', data: null }],
    [
      'that Postgres does not take',
      chat('a\u0000b'),
      { type: 'unstorable', at, data: { was: 'chat-message' } },
    ],
    ['whose time is none', { ...joined(7), at: Number.NaN }, { type: 'unstorable', at }],
  ])('[J9] an event %s is left out for good once it is given up', async (_, poison, row) => {
    const log = arrayLog();
    const id = nextId();
    const events = [scheduled, joined(1), poison, joined(2), joined(3)];
    project(log);
    log.append(id, events.slice(0, 4));
    await parkedAt(id, 3);
    log.append(id, events.slice(4));
    expect(await skip(log, id, 3)).toEqual({ kind: 'skipped', parked: false });
    await reached(id, 5);
    expect(await tablesWithout(id, 3)).toEqual(without(events, 3));
    expect(await keptRow(id, 3)).toMatchObject({ event_id: poison.eventId, ...row });
    expect(await listParked(database)).toEqual([]);
    expect(here.seen).toContainEqual({ type: 'skipped', workshopId: id, version: 3, by: 'user 7' });
    const { skipped } = await projectionStatus(database, log);
    expect(skipped).toContainEqual(
      expect.objectContaining({ workshopId: id, version: 3, eventId: poison.eventId, skippedBy: 'user 7' }),
    );

    const later = joined(4);
    log.append(id, [later]);
    await reached(id, 6);
    await rebuilt();
    expect(await tablesWithout(id, 3)).toEqual(without([...events, later], 3));
    expect(await keptRow(id, 3)).toMatchObject({ event_id: poison.eventId, ...row });
    log.archive(id);
    await rebuilt();
    expect((await tablesOf(database, id)).attendees.map((each) => each.user_id)).toEqual([1, 2, 3, 4]);
  });

  it('[J9] an entry of the log that cannot be parsed keeps its place', async () => {
    const log = arrayLog();
    const id = nextId();
    const events = [scheduled, joined(1), joined(7), joined(2)];
    log.append(id, events);
    log.breakEntry(id, 3);
    project(log);
    await parkedAt(id, 3);
    expect((await tablesOf(database, id)).attendees).toHaveLength(1);
    expect(await skip(log, id, 3)).toEqual({ kind: 'skipped', parked: false });
    expect(await tablesWithout(id, 3)).toEqual(without(events, 3));
    expect(await keptRow(id, 3)).toMatchObject({
      event_id: 'unreadable-3',
      type: 'unstorable',
      by: 'system',
    });
    await rebuilt();
    expect(await tablesWithout(id, 3)).toEqual(without(events, 3));
  });

  it('[J9] the last event of a workshop may be given up, and a projector that starts again agrees', async () => {
    const log = arrayLog();
    const id = nextId();
    log.append(id, [scheduled, joined(1), joined(7)]);
    log.breakEntry(id, 3);
    const first = project(log);
    await parkedAt(id, 3);
    await skip(log, id, 3);
    await first.close();
    log.trimFeeds();
    project(log);
    log.append(id, [joined(2)]);
    await reached(id, 4);
    expect(here.seen.filter((each) => each.type === 'diverged')).toEqual([]);
    expect((await tablesOf(database, id)).attendees.map((each) => each.user_id)).toEqual([1, 2]);
  });

  it('[J10] nothing is given up but the event at which the workshop is parked, and never the first', async () => {
    const log = arrayLog();
    const [id, first] = [nextId(), nextId()];
    project(log);
    expect(await skip(log, id, 1)).toEqual({ kind: 'not-parked' });
    log.append(id, [scheduled, event('user-joined', null, at), joined(2)]);
    log.append(first, [event('workshop-scheduled', null, at)]);
    await parkedAt(id, 2);
    await parkedAt(first, 1);
    expect(await skip(log, id, 3)).toEqual({ kind: 'elsewhere', version: 2 });
    expect(await skip(log, first, 1)).toEqual({ kind: 'first' });
    expect(await foldedVersion(database, id)).toBe(1);
    expect(
      await database.query('select * from projection_skipped where workshop_id >= $1::bigint', [id]),
    ).toEqual([]);
  });

  it.each([
    ['not to be folded', event('user-joined', null, at)],
    ['unreadable', joined(7)],
  ])(
    '[D6] a message that was deleted after an event that is %s and given up does not come back with a rebuild',
    async (kind, poison) => {
      const log = arrayLog();
      const id = nextId();
      const deleted = event('chat-deleted', { id: 3, by: 1 }, at);
      log.append(id, [scheduled, joined(1), chat('the secret'), poison, deleted, joined(2)]);
      if (kind === 'unreadable') log.breakEntry(id, 4);
      project(log);
      await parkedAt(id, 4);
      expect(await skip(log, id, 4)).toEqual({ kind: 'skipped', parked: false });
      await reached(id, 6);
      const tables = await tablesOf(database, id);
      expect(tables.chat).toMatchObject([{ message: null }]);
      await rebuilt();
      expect(await tablesOf(database, id)).toEqual(tables);
    },
  );

  it('[J9] what the log has in place of an event that was given up and lost is folded', async () => {
    const log = arrayLog();
    const id = nextId();
    project(log);
    log.append(id, [scheduled, joined(1), event('user-joined', null, at)]);
    await parkedAt(id, 3);
    await skip(log, id, 3);
    await reached(id, 3);
    log.lose(id, 2);
    log.append(id, [joined(5)]);
    await until(async () => (await tablesOf(database, id)).attendees.length === 2, {
      what: 'the tables to follow the log',
      timeout: 15_000,
    });
  });

  it('[J9] an event after the one that was given up may park the workshop again', async () => {
    const log = arrayLog();
    const id = nextId();
    project(log);
    log.append(id, [scheduled, event('user-joined', null, at), joined(1), chat('a\u0000b'), joined(2)]);
    await parkedAt(id, 2);
    expect(await skip(log, id, 2)).toEqual({ kind: 'skipped', parked: true });
    await parkedAt(id, 4);
    expect(await skip(log, id, 4)).toEqual({ kind: 'skipped', parked: false });
    await reached(id, 5);
    expect((await tablesOf(database, id)).attendees.map((each) => each.user_id)).toEqual([1, 2]);
  });
});

/** What the tables hold after the projector has folded a log, on Postgres and on PGlite. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../../projections/database/database.ts';
import { rowsOf } from '../../../projections/fold/folding.ts';
import { rebuildsLeft, requestRebuild } from '../../../projections/rebuild/request.ts';
import type { Projector } from '../../../projections/worker/projector.ts';
import { listParked, projectionStatus } from '../../../projections/worker/status.ts';
import { foldedVersion } from '../../../projections/workshops/queries.ts';
import type { RecordedEvent } from '../../../src/domain/evolve.ts';
import { until } from '../../kit/until.ts';
import { type ArrayLog, arrayLog } from '../arrayLog.ts';
import { databases } from '../databases.ts';
import { expectedTables } from '../expected.ts';
import { projecting } from '../projecting.ts';
import { event, scheduledEvent, story } from '../story.ts';
import { tablesOf } from '../tables.ts';

const at = Date.parse('2026-05-01T09:00:00.123Z');
const scheduled = scheduledEvent(at);
const joined = (userId: number, time: number) =>
  event(
    'user-joined',
    {
      userId,
      displayName: `P${userId}`,
      avatarUrl: null,
      isHost: userId === 1,
      isCoHost: false,
      canSpeak: userId === 1,
    },
    time,
    userId,
  );
const status = (status: string, time: number) => event('state-changed', { status }, time);
const chat = (message: string, time: number) =>
  event('chat-message', { userId: 1, displayName: 'P1', avatarUrl: null, message }, time);

describe.each(databases)('on $kind', ({ open }) => {
  let database: Database;
  const here = projecting(open, 'projection_checkpoints', 'projection_parked');
  const { reached, nextId } = here;
  beforeAll(() => {
    database = here.database;
  });

  const project = (
    log: ArrayLog,
    options: { batchSize?: number; node?: string; stateBytes?: number } = {},
  ): Projector => here.project({ log, ...options });

  function workshop(): number {
    return nextId();
  }

  function appendAll(log: ArrayLog, workshopId: number, appends: RecordedEvent[][]): number {
    for (const events of appends) log.append(workshopId, events);
    return appends.flat().length;
  }

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('tables are what the events say (seed %i)', async (seed) => {
    const log = arrayLog();
    const id = workshop();
    const appends = story(seed);
    project(log);
    await reached(id, appendAll(log, id, appends));
    expect(await tablesOf(database, id)).toEqual(expectedTables(appends.flat()));
  });

  it.each([1, 7, 1_000])('batches of %i events give the same rows', async (batchSize) => {
    const log = arrayLog();
    const [one, other] = [workshop(), workshop()];
    const [first, second] = [story(21, 150), story(22, 150)];
    for (let index = 0; index < Math.max(first.length, second.length); index++) {
      log.append(one, first[index] ?? []);
      log.append(other, second[index] ?? []);
    }
    project(log, { batchSize });
    await reached(one, first.flat().length);
    await reached(other, second.flat().length);
    expect(await tablesOf(database, one)).toEqual(expectedTables(first.flat()));
    expect(await tablesOf(database, other)).toEqual(expectedTables(second.flat()));
  });

  it.each([1, 20_000])(
    '[G1] states that are let go of are read from the tables again (%i bytes)',
    async (stateBytes) => {
      const log = arrayLog(2);
      const workshops = Array.from({ length: 6 }, (_, n) => ({
        id: workshop(),
        appends: story(40 + n, 100),
      }));
      project(log, { stateBytes, batchSize: 10 });
      for (let index = 0; index < 100; index++)
        for (const { id, appends } of workshops) log.append(id, appends[index] ?? []);
      for (const { id, appends } of workshops) {
        await reached(id, appends.flat().length);
        expect(await tablesOf(database, id)).toEqual(expectedTables(appends.flat()));
      }
    },
  );

  it('a restart after any batch gives the same rows', async () => {
    const log = arrayLog();
    const id = workshop();
    const appends = story(32, 120);
    let version = 0;
    for (let from = 0; from < appends.length; from += 9) {
      version += appendAll(log, id, appends.slice(from, from + 9));
      const started = project(log, { batchSize: 4 });
      await reached(id, version);
      await started.close();
    }
    expect(await tablesOf(database, id)).toEqual(expectedTables(appends.flat()));
  });

  it('what the fold says of a whole history is what stands in the tables', async () => {
    const log = arrayLog();
    const id = workshop();
    const appends = story(34, 200);
    project(log, { batchSize: 10 });
    await reached(id, appendAll(log, id, appends));
    const rows = rowsOf(id, 'first', appends.flat());
    const tables = await tablesOf(database, id);
    expect(rows.attendees.map((row) => row.userId).sort((a, b) => a - b)).toEqual(
      tables.attendees.map((row) => row.user_id),
    );
    expect(rows.chat.map((row) => [row.id, row.message])).toEqual(
      tables.chat.map((row) => [row.id, row.message]),
    );
    expect(rows.events.map((row) => row.data)).toEqual(tables.events.map((row) => row.data));
  });

  it('who joins a scheduled workshop is joined when it starts, and all that time counts as present', async () => {
    const log = arrayLog();
    const id = workshop();
    const invited = event('user-invited', { userId: 7 }, at);
    log.append(id, [scheduled, invited, joined(7, at + 1_000)]);
    project(log);
    await reached(id, 3);
    expect((await tablesOf(database, id)).attendees).toMatchObject([{ status: 'invited', joined_at: null }]);
    log.append(id, [status('live', at + 5_000)]);
    await reached(id, 4);
    expect((await tablesOf(database, id)).attendees).toMatchObject([
      { status: 'joined', joined_at: at + 5_000, left_at: null, present_ms: 0 },
    ]);
    log.append(id, [status('ended', at + 61_000)]);
    await reached(id, 5);
    expect((await tablesOf(database, id)).attendees).toMatchObject([
      { status: 'left', joined_at: at + 5_000, left_at: at + 61_000, present_ms: 60_000 },
    ]);
  });

  it('a deleted message has no text left anywhere, whether deleted in the same batch or later', async () => {
    const log = arrayLog();
    const id = workshop();
    const deletion = (of: number) => event('chat-deleted', { id: of, by: 1 }, at + 9_000);
    log.append(id, [
      scheduled,
      status('live', at),
      chat('first secret', at),
      chat('second secret', at),
      deletion(3),
    ]);
    project(log);
    await reached(id, 5);
    log.append(id, [deletion(4)]);
    await reached(id, 6);
    const tables = await tablesOf(database, id);
    expect(tables.chat).toMatchObject([
      { id: 3, message: null, deleted_at: at + 9_000 },
      { id: 4, message: null, deleted_at: at + 9_000 },
    ]);
    expect(tables.events.slice(2, 4).map((row) => row.data)).toEqual([
      { userId: 1, displayName: 'P1', avatarUrl: null, message: null, deleted: true },
      { userId: 1, displayName: 'P1', avatarUrl: null, message: null, deleted: true },
    ]);
    expect(JSON.stringify(tables)).not.toContain('secret');
  });

  it('an event of an unknown type is kept and changes nothing else', async () => {
    const log = arrayLog();
    const id = workshop();
    log.append(id, [scheduled, event('user-waved', { userId: 9 }, at)]);
    project(log);
    await reached(id, 2);
    const tables = await tablesOf(database, id);
    expect(tables.attendees).toEqual([]);
    expect(tables.events[1]).toMatchObject({ version: 2, type: 'user-waved', data: { userId: 9 } });
  });

  it('times of any year that the domain takes are kept', async () => {
    const log = arrayLog();
    const [early, late] = [workshop(), workshop()];
    const on = (scheduledAt: string) => ({
      ...scheduled,
      data: { ...(scheduled.data as object), scheduledAt },
    });
    log.append(early, [on('0000-01-01T00:00:00.001Z')]);
    log.append(late, [on('+010000-01-01T09:59:59.999Z')]);
    project(log);
    await reached(late, 1);
    await reached(early, 1);
    const times = [early, late].map(async (id) => (await tablesOf(database, id)).workshop?.scheduled_at);
    expect(await Promise.all(times)).toEqual([
      Date.parse('0000-01-01T00:00:00.001Z'),
      Date.parse('+010000-01-01T09:59:59.999Z'),
    ]);
  });

  it.each([
    ['that the fold does not take', event('user-joined', null, at)],
    [
      'that Postgres does not take',
      event('chat-message', { userId: 1, displayName: 'a\u0000b', avatarUrl: null, message: 'x' }, at),
    ],
    ['whose time is none', { ...joined(7, at), at: Number.NaN }],
  ])(
    'an event %s is tried again and parked; others go on, and it waits until asked for',
    async (_, poison) => {
      const log = arrayLog();
      const [sick, healthy] = [workshop(), workshop()];
      const started = project(log, { batchSize: 10 });
      log.append(healthy, [scheduled]);
      log.append(sick, [scheduled, joined(1, at), poison, joined(2, at)]);
      log.append(healthy, [joined(1, at)]);
      await reached(healthy, 2);
      await until(async () => (await listParked(database)).length === 1, {
        what: 'the workshop to be parked',
      });
      log.append(sick, [joined(3, at)]);
      log.append(healthy, [joined(2, at)]);
      await reached(healthy, 3);
      expect(await foldedVersion(database, sick)).toBe(2);
      expect(await listParked(database)).toMatchObject([{ workshopId: sick, version: 3, attempts: 4 }]);
      expect(here.seen.find((each) => each.type === 'parked')).toMatchObject({
        workshopId: sick,
        version: 3,
      });

      expect(await started.retryParked(sick)).toBe(false);
      expect(await listParked(database)).toMatchObject([{ workshopId: sick, version: 3, attempts: 8 }]);

      const cured = { ...joined(7, at), version: 3 };
      log.replace(sick, cured);
      expect(await started.retryParked(sick)).toBe(true);
      await reached(sick, 5);
      expect(await listParked(database)).toEqual([]);
      log.append(sick, [joined(4, at)]);
      await reached(sick, 6);
      expect((await tablesOf(database, sick)).attendees.map((row) => row.user_id)).toEqual([1, 2, 3, 4, 7]);
      expect(await started.retryParked(sick)).toBe(false);
    },
  );

  it('a feed that was trimmed is made up for from the streams', async () => {
    const log = arrayLog(2);
    const [known, unknown] = [workshop(), workshop()];
    const [first, second] = [story(41, 60), story(42, 60)];
    const started = project(log);
    appendAll(log, known, first.slice(0, 10));
    await reached(known, first.slice(0, 10).flat().length);
    await started.close();
    appendAll(log, known, first.slice(10, -1));
    appendAll(log, unknown, second.slice(0, -1));
    log.trimFeeds();
    project(log, { batchSize: 7 });
    await reached(known, first.slice(0, -1).flat().length);
    await reached(unknown, second.slice(0, -1).flat().length);
    appendAll(log, known, first.slice(-1));
    appendAll(log, unknown, second.slice(-1));
    await reached(known, first.flat().length);
    await reached(unknown, second.flat().length);
    expect(await tablesOf(database, known)).toEqual(expectedTables(first.flat()));
    expect(await tablesOf(database, unknown)).toEqual(expectedTables(second.flat()));
  });

  it('where the log lost events the tables follow it, and what was lost is kept aside', async () => {
    const log = arrayLog();
    const id = workshop();
    const before = story(53, 80).flat();
    project(log);
    log.append(id, before);
    await reached(id, before.length);
    const common = before.length - 5;
    log.lose(id, common);
    const after = Array.from({ length: 8 }, (_, index) =>
      event('user-invited', { userId: 100 + index }, at * 2),
    );
    log.append(id, after);
    await reached(id, common + 8);
    const survived = [
      ...before.slice(0, common),
      ...after.map((each, index) => ({ ...each, version: common + index + 1 })),
    ];
    expect(await tablesOf(database, id)).toEqual(expectedTables(survived));
    const lost = await database.query(
      'select event_id from workshop_events_lost where workshop_id = $1::bigint order by version',
      [id],
    );
    expect(lost.map((row) => row.event_id)).toEqual(before.slice(common).map((each) => each.eventId));
    expect(here.seen).toContainEqual({ type: 'diverged', workshopId: id, version: common });
  });

  it('a log that came back shorter is followed at start, without a new event', async () => {
    const log = arrayLog();
    const id = workshop();
    const events = story(52, 60).flat();
    const started = project(log);
    log.append(id, events);
    await reached(id, events.length);
    await started.close();
    log.lose(id, 10);
    project(log);
    await reached(id, 10);
    expect(await tablesOf(database, id)).toEqual(expectedTables(events.slice(0, 10)));
  });

  it('a rebuild gives the same rows, also of a workshop whose stream is gone', async () => {
    const log = arrayLog();
    const [kept, archived] = [workshop(), workshop()];
    const [first, second] = [story(61, 150).flat(), story(62, 150).flat()];
    project(log, { batchSize: 20 });
    log.append(kept, first);
    log.append(archived, second);
    await reached(kept, first.length);
    await reached(archived, second.length);
    log.archive(archived);
    await database.query('update workshop_attendees set status = $1::text, can_speak = true', ['removed']);
    await database.query('delete from workshop_chat_messages', []);
    await requestRebuild(database);
    await until(async () => (await rebuildsLeft(database)) === 0, { what: 'the rebuild', timeout: 15_000 });
    expect(await tablesOf(database, kept)).toEqual(expectedTables(first));
    expect(await tablesOf(database, archived)).toEqual(expectedTables(second));
  });

  it('two projectors share the partitions, and one that leaves is succeeded', async () => {
    const log = arrayLog(4);
    const ids = Array.from({ length: 8 }, workshop);
    const [one, other] = [project(log, { node: 'one' }), project(log, { node: 'other' })];
    const shares = () => [one.positions.size, other.positions.size];
    await until(() => shares().every((share) => share === 2), { what: 'two partitions each' });
    for (const id of ids) log.append(id, [scheduled]);
    for (const id of ids) await reached(id, 1);
    await one.close();
    for (const id of ids) log.append(id, [joined(1, at)]);
    for (const id of ids) await reached(id, 2);
    expect(other.positions.size).toBe(4);
    const { partitions, lag } = await projectionStatus(database, log);
    expect(new Set(partitions.map((each) => each.owner)).size).toBe(1);
    expect(lag).toBe(0);
    expect(other.lag()).toBe(0);
  });

  it('a projector that lost its lease writes nothing, and takes up its share again from the checkpoint', async () => {
    const log = arrayLog();
    const id = workshop();
    const started = project(log);
    log.append(id, [scheduled]);
    await reached(id, 1);
    // As a successor would: another fence, and the first owner's rows with it.
    await database.query(
      `update projection_checkpoints set fence = fence + 1, owner = 'successor',
         lease_until = now() + interval '1 hour'`,
      [],
    );
    log.append(id, [joined(1, at)]);
    await until(() => started.positions.size === 0, { what: 'the projector to let go' });
    expect(await foldedVersion(database, id)).toBe(1);
    await database.query(`update projection_checkpoints set lease_until = now() - interval '1 second'`, []);
    await reached(id, 2);
    expect((await tablesOf(database, id)).attendees).toHaveLength(1);
  });
});

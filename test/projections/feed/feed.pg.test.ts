/** The feed of all workshops, read from tables that projectors and others write. */
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../../projections/database/database.ts';
import { type FeedEvent, feedPage } from '../../../projections/feed/queries.ts';
import { type Projector, projector } from '../../../projections/worker/projector.ts';
import { foldedVersion } from '../../../projections/workshops/queries.ts';
import type { RecordedEvent } from '../../../src/domain/evolve.ts';
import { until } from '../../kit/until.ts';
import { type ArrayLog, arrayLog } from '../arrayLog.ts';
import { databases, type FreshDatabase } from '../databases.ts';
import { story } from '../story.ts';

const identity = 'a log';

interface Read {
  events: FeedEvent[];
  cursor: string | undefined;
  pages: number;
}

/** Everything after the cursor, page by page. */
async function readAll(database: Database, limit: number, after?: string): Promise<Read> {
  const events: FeedEvent[] = [];
  let cursor = after;
  for (let pages = 0; ; pages++) {
    const page = await feedPage(database, identity, { after: cursor, limit });
    if (page.events.length === 0) return { events, cursor: page.nextCursor, pages };
    expect(page.events.length).toBeLessThanOrEqual(limit);
    events.push(...page.events);
    cursor = page.nextCursor;
  }
}

function byWorkshop(events: readonly FeedEvent[]): Map<number, RecordedEvent[]> {
  const all = new Map<number, RecordedEvent[]>();
  for (const { workshopId, event } of events) all.set(workshopId, [...(all.get(workshopId) ?? []), event]);
  return all;
}

const count = { workshops: 150, events: 40 };

describe.each(databases)('on $kind', ({ open }) => {
  let fresh: FreshDatabase;
  let database: Database;
  let running: Projector;
  let log: ArrayLog;
  const stories = new Map(
    Array.from({ length: count.workshops }, (_, index) => [index + 1, story(index + 1, count.events).flat()]),
  );
  const folded = (id: number, version: number) =>
    until(async () => (await foldedVersion(database, id)) === version, {
      ...{ what: `workshop ${id}`, timeout: 30_000 },
    });

  beforeAll(async () => {
    fresh = await open();
    database = fresh.database;
    log = arrayLog();
    running = projector({ log, database, node: 'a' });
    for (const [id, events] of stories) log.append(id, events);
    for (const [id, events] of stories) await folded(id, events.length);
  }, 120_000);
  afterAll(async () => {
    await running.close();
    await fresh.close();
  });

  it.each([1, 7, 1_000])(
    '[N1] every event of every workshop comes once and in order, in pages of %i',
    { timeout: 120_000 },
    async (limit) => {
      // One by one it is a long way: some of the workshops say the same.
      const { events } = limit === 1 ? await readFew(database) : await readAll(database, limit);
      const found = byWorkshop(events);
      if (limit > 1) expect([...found.keys()].sort((a, b) => a - b)).toEqual([...stories.keys()]);
      for (const [id, read] of found) {
        const stored = stories.get(id)?.slice(0, read.length);
        expect(read.map(({ eventId }) => eventId)).toEqual(stored?.map(({ eventId }) => eventId));
      }
    },
  );

  it('[N2] a cursor goes on with what came since, and with nothing else', { timeout: 60_000 }, async () => {
    const { cursor } = await readAll(database, 1_000);
    const [first = [], second = []] = [story(901, 30).flat(), story(902, 30).flat()];
    log.append(901, first);
    log.append(902, second);
    await Promise.all([folded(901, first.length), folded(902, second.length)]);
    const since = await readAll(database, 10, cursor);
    const found = byWorkshop(since.events);
    expect([...found.keys()].sort()).toEqual([901, 902]);
    expect(found.get(901)?.map(({ version }) => version)).toEqual(first.map(({ version }) => version));
    expect(found.get(902)?.map(({ version }) => version)).toEqual(second.map(({ version }) => version));
    expect((await readAll(database, 10, since.cursor)).events).toEqual([]);
  });

  it('[N2] one workshop with much to tell keeps no other waiting', { timeout: 60_000 }, async () => {
    const { events } = await readAll(database, 50);
    // Pages of 50 over 64 partitions: by then each of them was asked.
    const early = new Set(events.slice(0, 64 * 50).map(({ workshopId }) => workshopId % 64));
    expect(early.size).toBe(64);
  });
});

async function readFew(database: Database): Promise<Pick<Read, 'events'>> {
  const events: FeedEvent[] = [];
  let after: string | undefined;
  for (let pages = 0; pages < 300; pages++) {
    const page = await feedPage(database, identity, { after, limit: 1 });
    events.push(...page.events);
    after = page.nextCursor;
  }
  return { events };
}

describe('on Postgres, with several who write', () => {
  let fresh: FreshDatabase;
  let database: Database;
  const writers: postgres.Sql[] = [];

  beforeAll(async () => {
    const [{ open }] = databases;
    fresh = await open();
    database = fresh.database;
    for (let n = 0; n < 2; n++) writers.push(postgres(fresh.url ?? '', { max: 1 }));
  }, 60_000);
  afterAll(async () => {
    for (const writer of writers) await writer.end();
    await fresh.close();
  });

  const write = (sql: postgres.Sql, workshopId: number, version: number) =>
    sql.unsafe(
      `insert into workshop_events (workshop_id, version, event_id, type, schema, at, by, command_id, data)
       values (${workshopId}, ${version}, 'e-${workshopId}-${version}', 'hand-raised', 1, now(), '1', 'c', '{"userId":1}')`,
    );
  const idsAfter = async (cursor?: string) => {
    const { events, cursor: next } = await readAll(database, 100, cursor);
    return { ids: events.map(({ event }) => event.eventId), next };
  };

  it('[N3] what was slower to be committed is not passed over, whoever was faster', async () => {
    const [slow, fast] = writers as [postgres.Sql, postgres.Sql];
    const before = await idsAfter();
    await slow.unsafe('begin');
    await write(slow, 1, 1);
    // Another partition: it need not wait.
    await write(fast, 2, 1);
    const early = await idsAfter(before.next);
    expect(early.ids).toEqual(['e-2-1']);
    // The same one: it comes after.
    const waiting = write(fast, 65, 1);
    await slow.unsafe('commit');
    await waiting;
    const late = await idsAfter(early.next);
    expect(late.ids).toEqual(['e-1-1', 'e-65-1']);
  });

  it('[N3] what was rolled back leaves no gap that anyone waits at', async () => {
    const [slow, fast] = writers as [postgres.Sql, postgres.Sql];
    const before = await idsAfter();
    await slow.unsafe('begin');
    await write(slow, 3, 1);
    await slow.unsafe('rollback');
    await write(fast, 3, 1);
    expect((await idsAfter(before.next)).ids).toEqual(['e-3-1']);
  });

  it('[N3] what the log has lost is passed over, and what took its place comes', async () => {
    const [sql] = writers as [postgres.Sql];
    const before = await idsAfter();
    await write(sql, 4, 1);
    await write(sql, 4, 2);
    await sql.unsafe('delete from workshop_events where workshop_id = 4 and version = 2');
    await sql.unsafe(
      `insert into workshop_events (workshop_id, version, event_id, type, schema, at, by, command_id, data)
       values (4, 2, 'another', 'hand-raised', 1, now(), '1', 'c', '{"userId":1}')`,
    );
    expect((await idsAfter(before.next)).ids).toEqual(['e-4-1', 'another']);
  });

  it('[N9] who was behind a loss has what took its place once, in order, and who was before it nothing twice', async () => {
    const [sql] = writers as [postgres.Sql];
    const early = await idsAfter();
    for (const version of [1, 2, 3, 4, 5]) await write(sql, 5, version);
    const half = await feedPage(database, identity, { after: early.next, limit: 3 });
    expect(half.events.map(({ event }) => event.version)).toEqual([1, 2, 3]);
    await sql.unsafe('delete from workshop_events where workshop_id = 5 and version > 3');
    const again = (version: number) =>
      sql.unsafe(
        `insert into workshop_events (workshop_id, version, event_id, type, schema, at, by, command_id, data)
         values (5, ${version}, 'again-${version}', 'hand-raised', 1, now(), '1', 'c', '{"userId":1}')`,
      );
    for (const version of [4, 5, 6]) await again(version);
    const rest = ['again-4', 'again-5', 'again-6'];
    expect((await idsAfter(early.next)).ids).toEqual(['e-5-1', 'e-5-2', 'e-5-3', ...rest]);
    expect((await idsAfter(half.nextCursor)).ids).toEqual(rest);
  });

  it('[N9] a loss within what was written at once is no different', async () => {
    const [sql] = writers as [postgres.Sql];
    const early = await idsAfter();
    await sql.unsafe(
      `insert into workshop_events (workshop_id, version, event_id, type, schema, at, by, command_id, data)
       select 6, v, 'e-6-' || v, 'hand-raised', 1, now(), '1', 'c', '{"userId":1}' from generate_series(1, 9) v`,
    );
    const half = await feedPage(database, identity, { after: early.next, limit: 5 });
    await sql.unsafe('delete from workshop_events where workshop_id = 6 and version > 2');
    await write(sql, 6, 3);
    expect((await idsAfter(early.next)).ids).toEqual(['e-6-1', 'e-6-2', 'e-6-3']);
    // Who had five of them is told what the third one is now.
    expect((await idsAfter(half.nextCursor)).ids).toEqual(['e-6-3']);
  });

  it('[N10] a cursor that is ahead of what there is leads to the beginning: the database was put back', async () => {
    const [sql] = writers as [postgres.Sql];
    const backup = await idsAfter();
    await write(sql, 63, 1);
    const { next } = await idsAfter();
    await sql.unsafe('delete from workshop_events where workshop_id = 63');
    await sql.unsafe('delete from workshop_feed where workshop_id = 63');
    await sql.unsafe('update workshop_feed_ends set position = position - 1 where partition = 63');
    expect((await idsAfter(next)).ids).toEqual(backup.ids);
  });
});

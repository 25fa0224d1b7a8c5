/** Tables that are folded anew beside those that are read: what readers see meanwhile, and what becomes of it when things break. */
import postgres from 'postgres';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Database } from '../../../projections/database/database.ts';
import { callOffRebuilds, rebuildsLeft, requestRebuild } from '../../../projections/rebuild/request.ts';
import { verify } from '../../../projections/verify/verify.ts';
import { type Projector, projector } from '../../../projections/worker/projector.ts';
import { listParked, projectionStatus } from '../../../projections/worker/status.ts';
import { foldedVersion } from '../../../projections/workshops/queries.ts';
import type { RecordedEvent } from '../../../src/domain/evolve.ts';
import { until } from '../../kit/until.ts';
import { type ArrayLog, arrayLog } from '../arrayLog.ts';
import { databases } from '../databases.ts';
import { expectedTables } from '../expected.ts';
import { projecting } from '../projecting.ts';
import { event, story } from '../story.ts';
import { tablesOf } from '../tables.ts';

const nextTables = [
  'workshops_next',
  'workshop_attendees_next',
  'workshop_chat_messages_next',
  'workshop_events_next',
];

describe.each(databases)('on $kind', ({ kind, open }) => {
  let log: ArrayLog;
  let database: Database;
  const here = projecting(open);
  const { reached, nextId } = here;
  beforeAll(() => {
    database = here.database;
  });
  beforeEach(async () => {
    const all = [
      'workshops',
      'workshop_attendees',
      'workshop_chat_messages',
      'workshop_events',
      'workshop_events_lost',
    ];
    await here.clear(
      ...all,
      ...nextTables,
      ...['projection_chunks', 'projection_checkpoints', 'projection_parked'],
    );
    log = arrayLog(2);
  });
  const project = ({ on = database, chunkRows = 300, node = 'a' } = {}): Projector =>
    here.project({ log, database: on, node, batchSize: 40, chunkRows });

  const rebuilt = () =>
    until(async () => (await rebuildsLeft(database)) === 0, { what: 'the rebuild', timeout: 40_000 });

  /** Workshops with their histories, folded. */
  async function folded(count: number, wanted = 120): Promise<Map<number, RecordedEvent[]>> {
    const histories = new Map<number, RecordedEvent[]>();
    for (let index = 0; index < count; index++) {
      const id = nextId();
      const events = story(id * 7, wanted).flat();
      log.append(id, events);
      histories.set(id, events);
    }
    for (const [id, events] of histories) await reached(id, events.length);
    return histories;
  }

  async function isRight(): Promise<void> {
    for await (const told of verify({ database, log, patienceMs: 10_000 })) {
      if (told.kind === 'progress') continue;
      expect(told).toMatchObject({ kind: 'summary', differences: 0, faults: 0, parked: 0, behind: 0 });
    }
  }

  async function isCleared(): Promise<void> {
    const left = async () => {
      const counts = await Promise.all(
        ['projection_chunks', ...nextTables].map((table) => database.query(`select from ${table}`, [])),
      );
      return counts.every((rows) => rows.length === 0);
    };
    await until(left, { what: 'what a rebuild needed to be cleared away' });
  }

  it('[J6] whatever was wrong in the tables is right afterwards, and nothing of the events is lost', async () => {
    project();
    const histories = await folded(6);
    const [first, archived] = [...histories.keys()];
    if (first === undefined || archived === undefined) throw new Error('no workshops');
    log.archive(archived);
    const kept = await database.query(
      'select count(*) as count from workshop_events where workshop_id = $1::bigint',
      [archived],
    );
    for (const statement of [
      `update workshops set title = 'x', host_id = 77`,
      `update workshop_attendees set status = 'removed', present_ms = present_ms + 1`,
      'delete from workshop_attendees where user_id % 3 = 0',
      `insert into workshop_attendees select workshop_id, user_id + 1000, display_name, avatar_url, status, is_host, is_co_host,
         can_speak, hand_raised_at, joined_at, left_at, present_ms, present_since, rsvped, invited from workshop_attendees`,
      `update workshop_chat_messages set message = 'x'`,
      'delete from workshop_chat_messages where id % 2 = 0',
      `update workshop_events set data = '{}' where version % 5 = 0 and workshop_id <> ${archived}`,
      `update workshop_events set event_id = event_id || 'x', type = 'x', at = now() where version % 7 = 0 and workshop_id <> ${archived}`,
      `delete from workshop_events where version % 11 = 0 and workshop_id <> ${archived}`,
    ])
      await database.query(statement, []);
    await requestRebuild(database);
    await rebuilt();
    for (const [id, events] of histories)
      expect(await tablesOf(database, id)).toEqual(expectedTables(events));
    await isRight();
    await isCleared();
    expect(
      await database.query('select count(*) as count from workshop_events where workshop_id = $1::bigint', [
        archived,
      ]),
    ).toEqual(kept);
    const [lost] = await database.query(
      `select count(*) as count from workshop_events_lost where type = 'x'`,
      [],
    );
    expect(Number(lost?.count)).toBeGreaterThan(10);
  });

  it('[J20] readers see no version fall and no row vanish while workshops go on', {
    timeout: 90_000,
  }, async () => {
    project();
    const histories = await folded(8, 200);
    const lives = [1, 2, 3].map((seed) => ({ id: nextId(), appends: story(seed + 500, 500), done: 0 }));
    let isOver = false;
    const appending = (async () => {
      for (let index = 0; !isOver; index++) {
        for (const life of lives) {
          const next = life.appends[index];
          if (next === undefined) continue;
          log.append(life.id, next);
          life.done += next.length;
        }
        await new Promise((resolve) => setTimeout(resolve, 8));
      }
    })();
    await until(async () => (await foldedVersion(database, lives[0]?.id ?? 0)) > 10, { what: 'a beginning' });
    await requestRebuild(database);
    const last = new Map<string, number>();
    let looks = 0;
    while ((await rebuildsLeft(database)) > 0) {
      const rows = await database.query(
        `select id, version, (select count(*) from workshop_attendees a where a.workshop_id = w.id) as people,
           (select count(*) from workshop_chat_messages c where c.workshop_id = w.id) as messages,
           (select count(*) from workshop_events e where e.workshop_id = w.id) as events
         from workshops w`,
        [],
      );
      for (const { id, ...counts } of rows)
        for (const [what, count] of Object.entries(counts)) {
          const seenBefore = last.get(`${id} ${what}`) ?? 0;
          expect(Number(count), `${what} of ${id}`).toBeGreaterThanOrEqual(seenBefore);
          last.set(`${id} ${what}`, Number(count));
        }
      for (const row of rows) expect(Number(row.events)).toBe(Number(row.version));
      looks++;
    }
    isOver = true;
    await appending;
    expect(looks).toBeGreaterThan(3);
    for (const [id, events] of histories) {
      expect(last.get(`${id} version`)).toBe(events.length);
      expect(await tablesOf(database, id)).toEqual(expectedTables(events));
    }
    for (const { id, appends, done } of lives) {
      await reached(id, done);
      expect(await tablesOf(database, id)).toEqual(expectedTables(appends.flat().slice(0, done)));
    }
    expect(here.seen.filter(({ type }) => type === 'error' || type === 'parked')).toEqual([]);
    await isRight();
  });

  it('[J21] a projector that dies in the middle is succeeded at the place where it was', async () => {
    const first = project();
    const histories = await folded(12);
    await first.close();
    await database.query('update workshop_attendees set can_speak = not can_speak', []);
    let copies = 0;
    let isDead = false;
    // Dead as here.seen from the database: it says and hears nothing any more.
    const dying: Database = {
      ...database,
      query: (...asked) => (isDead ? new Promise(() => undefined) : database.query(...asked)),
      copy(copy) {
        isDead ||= ++copies > 9;
        return isDead ? new Promise(() => undefined) : database.copy(copy);
      },
    };
    await requestRebuild(database);
    const dead = projector({
      log,
      database: dying,
      node: 'dies',
      leaseMs: 900,
      batchSize: 40,
      chunkRows: 300,
    });
    await until(() => isDead, { what: 'the projector to die', timeout: 30_000 });
    const { partitions } = await projectionStatus(database, log);
    const place = partitions.find(({ rebuilt }) => (rebuilt?.after ?? 0) > 0);
    expect(place).toMatchObject({
      rebuildRequested: true,
      rebuilt: { done: expect.any(Number), after: expect.any(Number) },
    });
    const reads: number[] = [];
    const watched: ArrayLog = {
      ...log,
      events: {
        ...log.events,
        read(id, ...page) {
          reads.push(id);
          return log.events.read(id, ...page);
        },
      },
    };
    here.project({ log: watched, node: 'succeeds', batchSize: 40, chunkRows: 300 });
    await rebuilt();
    const done = [...histories.keys()].filter(
      (id) => log.partitionOf(id) === place?.partition && id <= (place?.rebuilt?.after ?? 0),
    );
    expect(done.length).toBeGreaterThan(0);
    for (const id of done) expect(reads, `workshop ${id} is not read again`).not.toContain(id);
    for (const [id, events] of histories)
      expect(await tablesOf(database, id)).toEqual(expectedTables(events));
    await isCleared();
    void dead;
  });

  it('[J21] clears away what projectors left that died, whose chunks nobody knows any more', async () => {
    project();
    await folded(2);
    for (const chunk of [7, 1_000_000, 1_000_001])
      for (const id of [1, 2])
        await database.query(
          `insert into workshop_chat_messages_next (chunk, workshop_id, id, user_id, display_name, offset_ms, created_at)
           values ($1::bigint, 1, $2::bigint, 2, 'Ada', 0, now())`,
          [chunk, id],
        );
    await requestRebuild(database);
    await rebuilt();
    await isCleared();
  });

  it('[J21] asking again while it is under way changes nothing about it', async () => {
    const first = project();
    await folded(6);
    await first.close();
    expect(await requestRebuild(database)).toBe(2);
    await database.query('update projection_checkpoints set rebuild_done = 3, rebuild_total = 6', []);
    expect(await requestRebuild(database)).toBe(2);
    const { partitions } = await projectionStatus(database, log);
    expect(partitions).toMatchObject([
      { rebuilt: { done: 3, total: 6 } },
      { rebuilt: { done: 3, total: 6 } },
    ]);
  });

  /** Does something once, when the first workshop was written anew. */
  function meanwhile(act: () => Promise<unknown> | unknown): Database {
    let isDone = false;
    return {
      ...database,
      async copy(copy) {
        const answer = await database.copy(copy);
        if (!isDone && copy.into.startsWith('workshops_next')) {
          isDone = true;
          await act();
        }
        return answer;
      },
    };
  }

  it('[J22] a log that loses events meanwhile is followed', async () => {
    const first = project();
    const histories = await folded(4);
    await first.close();
    const [id] = [...histories.keys()];
    const events = histories.get(id ?? 0) ?? [];
    const more = Array.from({ length: 30 }, (_, index) =>
      event('user-invited', { userId: 200 + index }, (events.at(-1)?.at ?? 0) + index),
    );
    await requestRebuild(database);
    project({
      on: meanwhile(() => {
        log.lose(id ?? 0, 50);
        log.append(id ?? 0, more);
      }),
    });
    await rebuilt();
    await reached(id ?? 0, 80);
    const survived = [
      ...events.slice(0, 50),
      ...more.map((each, index) => ({ ...each, version: 51 + index })),
    ];
    expect(await tablesOf(database, id ?? 0)).toEqual(expectedTables(survived));
    await isRight();
  });

  it('[J22] a stream that goes away meanwhile leaves its rows, and they are folded from what is kept', async () => {
    const first = project();
    const histories = await folded(5);
    await first.close();
    const ids = [...histories.keys()];
    await database.query(`update workshop_attendees set status = 'removed'`, []);
    await requestRebuild(database);
    project({
      on: meanwhile(() => {
        for (const id of ids) log.archive(id);
      }),
      chunkRows: 200,
    });
    await rebuilt();
    for (const [id, events] of histories)
      expect(await tablesOf(database, id)).toEqual(expectedTables(events));
  });

  it('[J22] a message that is deleted meanwhile does not come back', async () => {
    project();
    const histories = await folded(3);
    const id = nextId();
    const began = story(3, 1)[0] ?? [];
    const at = began[0]?.at ?? 0;
    log.append(id, began);
    log.append(id, [
      event('state-changed', { status: 'live' }, at),
      event('chat-message', { userId: 1, displayName: 'P', avatarUrl: null, message: 'the secret' }, at),
    ]);
    await reached(id, began.length + 2);
    await here.stop();
    await requestRebuild(database);
    const messageId = began.length + 2;
    project({
      on: meanwhile(async () => {
        log.append(id, [event('chat-deleted', { id: messageId, by: 1 }, at)]);
        await reached(id, messageId + 1);
      }),
      chunkRows: 20,
    });
    let shown = false;
    let isGone = false;
    const look = async () => {
      const [row] = await database.query(
        'select message from workshop_chat_messages where workshop_id = $1::bigint',
        [id],
      );
      isGone ||= row?.message === null;
      shown ||= isGone && row?.message !== null;
      return (await rebuildsLeft(database)) === 0;
    };
    await until(look, { what: 'the rebuild', timeout: 30_000 });
    expect({ isGone, shown }).toEqual({ isGone: true, shown: false });
    expect(JSON.stringify(await tablesOf(database, id))).not.toContain('secret');
    expect(histories.size).toBe(3);
    await isRight();
  });

  it('[J23] a workshop that cannot be folded anew keeps its rows and is parked, and the others are switched over', async () => {
    project();
    const histories = await folded(5);
    const [sick] = [...histories.keys()];
    const events = histories.get(sick ?? 0) ?? [];
    const before = await tablesOf(database, sick ?? 0);
    await database.query('update workshops set capacity = 4711 where id <> $1::bigint', [sick ?? 0]);
    log.replace(sick ?? 0, { ...(events[4] ?? event('none', {}, 0)), type: 'user-joined', data: null });
    await requestRebuild(database);
    await rebuilt();
    expect(await tablesOf(database, sick ?? 0)).toEqual(before);
    expect(await listParked(database)).toMatchObject([{ workshopId: sick, version: 5 }]);
    for (const [id, each] of histories)
      if (id !== sick) expect(await tablesOf(database, id)).toEqual(expectedTables(each));
  });

  it('[J23] so does one whose new rows Postgres refuses', async () => {
    project();
    const histories = await folded(5);
    const [sick, other] = [...histories.keys()];
    await database.query(
      `update workshops set title = case when id = ${sick} then 'as it was' else 'changed' end`,
      [],
    );
    await database.query(
      `alter table workshops add constraint as_it_was check (id <> ${sick} or title = 'as it was') not valid`,
      [],
    );
    await requestRebuild(database);
    await rebuilt();
    await database.query('alter table workshops drop constraint as_it_was', []);
    expect((await tablesOf(database, sick ?? 0)).workshop?.title).toBe('as it was');
    expect(await listParked(database)).toMatchObject([
      { workshopId: sick, reason: expect.stringContaining('as_it_was') },
    ]);
    expect(await tablesOf(database, other ?? 0)).toEqual(expectedTables(histories.get(other ?? 0) ?? []));
  });

  it('[J23] so does one of which an event is kept nowhere', async () => {
    project();
    const histories = await folded(4);
    const [sick, other] = [...histories.keys()];
    log.archive(sick ?? 0);
    await database.query('delete from workshop_events where workshop_id = $1::bigint and version = 7', [
      sick ?? 0,
    ]);
    await database.query('update workshops set capacity = 4711 where id = $1::bigint', [other ?? 0]);
    await requestRebuild(database);
    await rebuilt();
    expect(await listParked(database)).toMatchObject([{ workshopId: sick, version: 7 }]);
    expect(await tablesOf(database, other ?? 0)).toEqual(expectedTables(histories.get(other ?? 0) ?? []));
  });

  it('[J21] COPY that fails, or whose answer is lost, is made up for', async () => {
    const first = project();
    const histories = await folded(10);
    await first.close();
    await database.query('update workshop_attendees set can_speak = not can_speak', []);
    let copies = 0;
    const on: Database = {
      ...database,
      async copy(copy) {
        copies++;
        if (copies % 5 === 1) return [{ count: 0 }];
        if (copies % 5 === 2)
          throw Object.assign(new Error('the connection broke'), { code: 'CONNECTION_CLOSED' });
        const answer = await database.copy(copy);
        if (copies % 5 === 3)
          throw Object.assign(new Error('the connection broke'), { code: 'CONNECTION_CLOSED' });
        return answer;
      },
    };
    project({ on });
    await requestRebuild(database);
    await rebuilt();
    expect(copies).toBeGreaterThan(4);
    for (const [id, events] of histories)
      expect(await tablesOf(database, id)).toEqual(expectedTables(events));
    await isCleared();
  });

  it('[J21] it begins anew where what it had read was changed', async () => {
    const first = project();
    const histories = await folded(8);
    await first.close();
    await requestRebuild(database);
    const [id] = [...histories.keys()];
    project({
      on: meanwhile(async () => {
        const events = histories.get(id ?? 0) ?? [];
        const [scheduled] = events;
        if (scheduled === undefined) return;
        const changed = { ...scheduled, data: { ...(scheduled.data as object), title: 'erased' } };
        log.replace(id ?? 0, changed);
        events[0] = changed;
        await callOffRebuilds(database);
      }),
    });
    await rebuilt();
    for (const [each, events] of histories)
      expect(await tablesOf(database, each)).toEqual(expectedTables(events));
    await isRight();
  });

  // PGlite has no connections.
  if (kind === 'Postgres')
    it('[J21] connections that are killed all the time change nothing about it', {
      timeout: 90_000,
    }, async () => {
      const first = project();
      const histories = await folded(60);
      await first.close();
      await database.query('update workshop_attendees set can_speak = not can_speak', []);
      await requestRebuild(database);
      project({ chunkRows: 100 });
      let killed = 0;
      const sql = postgres(here.fresh.url ?? '', { max: 1 });
      const isDone = async () => {
        const [left] = await sql`select count(*) as left from projection_checkpoints where rebuild_requested`;
        if (Number(left?.left) === 0) return true;
        await new Promise((resolve) => setTimeout(resolve, 30));
        if (killed > 60) return false;
        const dead = await sql`
          select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and pid <> pg_backend_pid() and random() < 0.4`;
        killed += dead.length;
        return false;
      };
      await until(isDone, { what: 'the rebuild', timeout: 80_000 });
      await sql.end();
      expect(killed).toBeGreaterThan(5);
      await until(async () => (await tablesOf(database, [...histories.keys()][0] ?? 0)) !== undefined, {
        what: 'connections',
      });
      for (const [id, events] of histories)
        expect(await tablesOf(database, id)).toEqual(expectedTables(events));
    });
});

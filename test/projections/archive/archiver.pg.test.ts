/** Workshops that are over leave the log: what stays of them, which ones stay there, and what becomes of it when things break. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type ArchiverEvent, archiver } from '../../../projections/archive/archiver.ts';
import { archivesOf } from '../../../projections/archive/archives.ts';
import type { Database } from '../../../projections/database/database.ts';
import { erasureProgress, requestErasure } from '../../../projections/erasing/request.ts';
import { storedEvents } from '../../../projections/events/queries.ts';
import { skipParked } from '../../../projections/parked/skip.ts';
import { verify } from '../../../projections/verify/verify.ts';
import { type Projector, projector } from '../../../projections/worker/projector.ts';
import { listParked } from '../../../projections/worker/status.ts';
import type { RecordedEvent } from '../../../src/domain/evolve.ts';
import { checkReplay, type ReplayReport } from '../../../src/history/checkReplay.ts';
import { workshopHistory } from '../../../src/history/history.ts';
import { type EventLog, readAll } from '../../../src/log/log.ts';
import { redisClient } from '../../kit/redis.ts';
import { until } from '../../kit/until.ts';
import { append, embeddedInTurn, folded, type Stores, servers } from '../stores.ts';
import { event, story } from '../story.ts';
import { tablesOf } from '../tables.ts';

vi.setConfig({ testTimeout: 60_000 });

const embedded = embeddedInTurn();
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function open(stores: Promise<Stores>): Promise<Stores> {
  const opened = await stores;
  closers.push(() => opened.close());
  return opened;
}

function project({ log, database }: Pick<Stores, 'log' | 'database'>): Projector {
  const started = projector({ log, database, archives: 'removed', node: 'a', leaseMs: 900 });
  closers.push(() => started.close());
  return started;
}

interface Running {
  told: ArchiverEvent[];
  /** Resolves when the workshop was archived so many times. */
  archived(workshopId: number, times?: number): Promise<void>;
  /** Resolves when it has looked for what is due so many times more, each time to the end. */
  rounds(count: number): Promise<void>;
  close(): Promise<void>;
}

function archive(
  { log, database }: Pick<Stores, 'log' | 'database'>,
  held: () => ReadonlyMap<number, number>,
  options: { afterMs?: number; streams?: 'kept' } = {},
): Running {
  const told: ArchiverEvent[] = [];
  const looks = new Map<number, number>();
  const looked = () => Math.max(0, ...looks.values());
  const watched: EventLog = {
    ...log,
    streams: {
      ...log.streams,
      ids(partition) {
        looks.set(partition, (looks.get(partition) ?? 0) + 1);
        return log.streams.ids(partition);
      },
    },
  };
  const { close } = archiver({
    ...{ database, log: watched, held, afterMs: 0, streams: 'removed', shortestMs: 100, ...options },
    onEvent: (each) => told.push(each),
  });
  closers.push(close);
  const times = (id: number) =>
    told.filter((each) => each.type === 'archived' && each.workshopId === id).length;
  return {
    told,
    close,
    archived: (id, wanted = 1) =>
      until(() => times(id) >= wanted, {
        what: `workshop ${id} to be archived`,
        timeout: 20_000,
      }).then(() => undefined),
    async rounds(count) {
      const before = looked();
      // With another look at the same partition the rounds in between are over.
      await until(() => looked() > before + count, { what: `${count} rounds`, timeout: 20_000 });
    },
  };
}

/** A workshop that is over. */
function over(seed: number): RecordedEvent[][] {
  const appends = story(seed, 60);
  const isOver = appends.flat().some(({ type, data }) => {
    const { status } = data as { status?: string };
    return type === 'state-changed' && (status === 'ended' || status === 'cancelled');
  });
  return isOver ? appends : [...appends, [event('state-changed', { status: 'cancelled' }, 0)]];
}

async function inLog(log: EventLog, workshopId: number): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for await (const page of readAll(log.events, workshopId)) events.push(...page);
  return events;
}

async function recorded(database: Database) {
  return archivesOf(database).after(0, 100);
}

async function checked({ log, database }: Stores): Promise<ReplayReport[]> {
  const told: ReplayReport[] = [];
  const history = workshopHistory(log.events, storedEvents(database));
  for await (const each of checkReplay({ archives: archivesOf(database), history }))
    if (each.kind !== 'progress') told.push(each);
  return told;
}

async function isVerified(stores: Stores): Promise<void> {
  for await (const told of verify(stores))
    if (told.kind !== 'progress')
      expect(told).toMatchObject({ kind: 'summary', differences: 0, faults: 0, behind: 0 });
}

async function emptied(url: string): Promise<void> {
  const client = redisClient(url);
  await client.flushdb();
  client.disconnect();
}

async function* pages(events: RecordedEvent[]): AsyncGenerator<RecordedEvent[]> {
  yield events;
}

describe.each([
  ['Redis and Postgres', () => servers()],
  ['LMDB and PGlite', embedded],
])('with %s', (_, stores) => {
  it('[Z4] workshops that are over leave the log, with every row as it was; others stay', async () => {
    const opened = await open(stores());
    const { log, database } = opened;
    const running = project(opened);
    const ids = [1, 2, 3];
    for (const id of ids) await append(log, id, over(id));
    const goingOn = 4;
    await append(log, goingOn, story(4, 30).slice(0, 5));
    for (const id of [...ids, goingOn]) await folded(opened, id);
    const before = await Promise.all(ids.map((id) => tablesOf(database, id)));
    const archiving = archive(opened, () => running.fences);
    for (const id of ids) await archiving.archived(id);
    expect(await Promise.all(ids.map((id) => log.events.head(id)))).toEqual([null, null, null]);
    expect(await Promise.all(ids.map((id) => tablesOf(database, id)))).toEqual(before);
    expect((await recorded(database)).map(({ workshopId, version }) => [workshopId, version])).toEqual(
      ids.map((id, index) => [id, before[index]?.events.length]),
    );
    await archiving.rounds(2);
    expect((await log.events.head(goingOn))?.version).toBe(5);
    expect(archiving.told).toHaveLength(3);
    await isVerified(opened);
    expect(await checked(opened)).toMatchObject([{ kind: 'summary', workshops: 3, differences: 0 }]);
  });

  it('[Z4] one whose last event is too young waits', async () => {
    const opened = await open(stores());
    const running = project(opened);
    await append(opened.log, 1, over(1));
    await folded(opened, 1);
    let now = opened.log.now();
    const log = { ...opened.log, now: () => now };
    const archiving = archive({ ...opened, log }, () => running.fences, { afterMs: 4_000 });
    await archiving.rounds(2);
    expect(archiving.told).toEqual([]);
    expect(await opened.log.events.head(1)).not.toBeNull();
    now += 4_000;
    await archiving.archived(1);
  });

  it('[Z5] nothing leaves the log that the tables do not have, or have otherwise', async () => {
    const opened = await open(stores());
    const { log, database } = opened;
    const running = project(opened);
    const [changed, missing, right] = [1, 2, 3];
    for (const id of [changed, missing, right]) {
      await append(log, id, over(id));
      await folded(opened, id);
    }
    const put = `update workshop_events set at = at + interval '1 second' where workshop_id = 1 and version = 3`;
    await database.query(put, []);
    const [row] = await database.query(
      'delete from workshop_events where workshop_id = 2 and version = 4 returning *',
      [],
    );
    const archiving = archive(opened, () => running.fences);
    await archiving.archived(right);
    await archiving.rounds(2);
    const waiting = archiving.told.filter((each) => each.type === 'waiting');
    expect(waiting.map(({ workshopId, reason }) => [workshopId, reason]).sort()).toEqual([
      [changed, 'workshop_events does not have what the log has'],
      [missing, 'workshop_events has no event 4'],
    ]);
    expect(row).toBeDefined();
    for (const id of [changed, missing]) expect(await log.events.head(id)).not.toBeNull();
    expect((await recorded(database)).map(({ workshopId }) => workshopId)).toEqual([right]);
  });

  it('[Z5] one that is parked, or of which an event was given up, stays', async () => {
    const opened = await open(stores());
    const { log, database } = opened;
    const running = project(opened);
    const [parked, skipped] = [1, 2];
    await append(log, parked, over(parked));
    await append(log, parked, [[event('user-invited', { userId: null }, 0)]]);
    await append(log, skipped, over(skipped));
    await folded(opened, skipped);
    await database.query(
      `insert into projection_skipped (workshop_id, version, event_id, reason, skipped_by, skipped_at)
       values (2, 999, 'x', 'a test', 'a test', now())`,
      [],
    );
    await until(async () => (await listParked(database)).length === 1, { what: 'the workshop to be parked' });
    await database.query(`update workshops set status = 'ended' where id = 1`, []);
    const archiving = archive(opened, () => running.fences);
    await until(() => archiving.told.length >= 2, { what: 'both to be told of', timeout: 10_000 });
    await archiving.rounds(2);
    expect(
      archiving.told.map((each) => each.type === 'waiting' && [each.workshopId, each.reason]).sort(),
    ).toEqual([
      [parked, expect.stringContaining('parked')],
      [skipped, expect.stringContaining('given up')],
    ]);
    for (const id of [parked, skipped]) expect(await log.events.head(id)).not.toBeNull();
  });

  it('[Z6] broken off anywhere it is made up for, and nothing is lost', async () => {
    const opened = await open(stores());
    const { log, database } = opened;
    const running = project(opened);
    await append(log, 1, over(5));
    await folded(opened, 1);
    const before = await tablesOf(database, 1);
    const broken = () => Promise.reject(new Error('broken off'));
    const failing: [string, Pick<Stores, 'log' | 'database'>][] = [
      ['the record', { log, database: failingAt(database, 'insert into workshop_archives', 'before') }],
      ['its answer', { log, database: failingAt(database, 'insert into workshop_archives', 'after') }],
      ['the removal', { database, log: { ...log, streams: { ...log.streams, remove: broken } } }],
      ['what is read of the log', { database, log: { ...log, events: { ...log.events, read: broken } } }],
    ];
    for (const [what, stores] of failing) {
      const archiving = archive(stores, () => running.fences);
      await until(() => archiving.told.some(({ type }) => type === 'error'), { what, timeout: 10_000 });
      await archiving.close();
      expect(await log.events.head(1), what).not.toBeNull();
      expect(archiving.told.every(({ type }) => type === 'error')).toBe(true);
    }
    // Removed, and the answer is lost: there is nothing left to do.
    const lost = archive(
      {
        database,
        log: {
          ...log,
          streams: {
            ...log.streams,
            remove: async (...last) => (await log.streams.remove(...last)) && broken(),
          },
        },
      },
      () => running.fences,
    );
    await until(async () => (await log.events.head(1)) === null, { what: 'the removal', timeout: 10_000 });
    await lost.close();
    await archive(opened, () => running.fences).rounds(2);
    expect(await tablesOf(database, 1)).toEqual(before);
    expect(await checked(opened)).toMatchObject([{ kind: 'summary', workshops: 1, differences: 0 }]);
  });

  it('[Z6] who lost the partition records and removes nothing', async () => {
    const opened = await open(stores());
    const { log, database } = opened;
    const running = project(opened);
    await append(log, 1, over(6));
    await folded(opened, 1);
    const stale = new Map([...running.fences].map(([partition, fence]) => [partition, fence - 1]));
    const archiving = archive(opened, () => stale);
    await archiving.rounds(3);
    expect(archiving.told).toEqual([]);
    expect(await log.events.head(1)).not.toBeNull();
    expect(await recorded(database)).toEqual([]);
  });

  it('[Z6] what is appended in the last moment keeps it in the log, and it goes later', async () => {
    const opened = await open(stores());
    const { log, database } = opened;
    const running = project(opened);
    await append(log, 1, over(7));
    const { version = 0 } = (await log.events.head(1)) ?? {};
    await folded(opened, 1);
    let appended = false;
    const archiving = archive(
      {
        database,
        log: {
          ...log,
          streams: {
            ...log.streams,
            async remove(...last) {
              if (!appended) await append(log, 1, [[event('user-invited', { userId: 555 }, 0)]]);
              appended = true;
              return log.streams.remove(...last);
            },
          },
        },
      },
      () => running.fences,
    );
    await archiving.archived(1);
    expect(archiving.told).toMatchObject([{ type: 'archived', version: version + 1 }]);
    expect((await tablesOf(database, 1)).events).toHaveLength(version + 1);
    expect(await recorded(database)).toMatchObject([{ version: version + 1, present: version + 1 }]);
  });

  it('[Z11] an old backup of the log takes nothing back of what is archived, and brings no text back', async () => {
    const opened = await open(stores());
    const { log, database } = opened;
    const running = project(opened);
    const said = { userId: 1, displayName: 'P', avatarUrl: null, message: 'the secret' };
    await append(log, 1, [...over(8), [event('chat-message', said, 0)]]);
    const backup = await inLog(log, 1);
    await append(log, 1, [[event('chat-deleted', { id: backup.length, by: 1 }, 0)]]);
    await folded(opened, 1);
    const archiving = archive(opened, () => running.fences);
    await archiving.archived(1);
    await archiving.close();
    await running.close();
    const before = await tablesOf(database, 1);
    const other = { ...said, message: 'another' };
    const [older, last] = [backup.slice(0, -2), backup.length - 1];
    const cases: [string, RecordedEvent[]][] = [
      ['as it was', backup],
      [
        'with a timer that went off in it',
        [...older, event('state-changed', { status: 'ended' }, 0, 'system')],
      ],
      ['with what somebody did in it', [...older, event('chat-message', other, 0)]],
    ];
    for (const [what, kept] of cases) {
      // What Redis had has gone with it; the backup is all that there is.
      if (opened.url !== undefined) await emptied(opened.url);
      await log.streams.refill(1, pages(kept.map((each, index) => ({ ...each, version: index + 1 }))));
      const again = project(opened);
      if (what.includes('somebody')) {
        await until(async () => (await listParked(database))[0]?.version === last, {
          what: 'it to be parked',
          timeout: 20_000,
        });
        await skipParked(database, log, { workshopId: 1, version: last, by: 'a test' });
      }
      await until(async () => (await log.events.head(1)) === null, {
        what: `${what}, it to go`,
        timeout: 20_000,
      });
      await again.close();
      expect(await tablesOf(database, 1)).toEqual(before);
    }
    expect(JSON.stringify(before)).not.toContain('the secret');
  });

  it('[Z9] check-replay names the first event at which a workshop comes out otherwise', async () => {
    const opened = await open(stores());
    const { log, database } = opened;
    const running = project(opened);
    const ids = [1, 2, 3, 4, 5, 6, 7];
    for (const id of ids) await append(log, id, over(10 + id));
    for (const id of ids) await folded(opened, id);
    const archiving = archive(opened, () => running.fences);
    for (const id of ids) await archiving.archived(id);
    await archiving.close();
    const run = (statement: string) => database.query(statement, []);
    await run('delete from workshop_events where workshop_id = 7 and version = 3');
    // Other events than those that were archived; the last one gone; one that cannot be read.
    await run(
      `update workshop_events set data = data || '{"title": "other"}' where workshop_id = 1 and version = 1`,
    );
    const [{ last } = {}] = await run(
      'select max(version) as last from workshop_events where workshop_id = 2',
    );
    await run(`delete from workshop_events where workshop_id = 2 and version = ${last}`);
    await run(`update workshop_events set data = 'null' where workshop_id = 3 and version = 5`);
    // Another fold: it changed the room otherwise at the fourth event; it left another room; it went on since.
    const [row] = (await recorded(database)).filter(({ workshopId }) => workshopId === 4);
    const steps = Buffer.from(row?.steps ?? '', 'base64');
    steps.writeUInt8((steps.readUInt8(6) + 1) % 256, 6);
    await run(
      `update workshop_archives set steps = '${steps.toString('base64')}', reducer = 0 where workshop_id = 4`,
    );
    await run(`update workshop_archives set state = 'other' where workshop_id = 5`);
    await run(`update workshops set version = version + 1 where id = 6`);
    const found = await checked(opened);
    expect(found).toMatchObject([
      {
        kind: 'difference',
        workshopId: 1,
        version: 1,
        problem: 'the events are not those that were archived',
      },
      { kind: 'difference', workshopId: 2, version: Number(last), problem: 'is not kept any more' },
      { kind: 'difference', workshopId: 3, version: 5, problem: expect.stringMatching(/^is refused: /) },
      {
        kind: 'difference',
        workshopId: 4,
        version: 4,
        recordedBy: 0,
        problem: expect.stringContaining('otherwise'),
      },
      { kind: 'difference', workshopId: 5, problem: 'leaves another room at the end' },
      { kind: 'difference', workshopId: 7, version: 3, problem: 'is not kept any more' },
      { kind: 'summary', workshops: 6, differences: 6, passedOver: 1 },
    ]);
  });

  it('[Z10] who is forgotten in an archived workshop, or while it is archived, leaves a record that is right', async () => {
    const opened = await open(stores());
    const { log, database } = opened;
    const running = project(opened);
    const archived = over(31);
    const person = { userId: 777, displayName: 'Quentin Quill', avatarUrl: null };
    for (const id of [1, 2]) {
      await append(log, id, [
        ...archived.slice(0, 3),
        [event('user-rsvped', person, 0)],
        ...archived.slice(3),
      ]);
      await folded(opened, id);
    }
    const erase = async () => {
      await requestErasure(database, log, { userId: 777, by: 'a test' });
      await until(async () => (await erasureProgress(database, 777)).left === 0, {
        what: 'the person to be forgotten',
        timeout: 20_000,
      });
    };
    const first = archive(opened, () => running.fences);
    await first.archived(1);
    await first.archived(2);
    await first.close();
    await erase();
    expect(await checked(opened)).toMatchObject([{ kind: 'summary', workshops: 2, differences: 0 }]);

    await append(log, 3, [...archived.slice(0, 3), [event('user-rsvped', person, 0)], ...archived.slice(3)]);
    await folded(opened, 3);
    let isAsked = false;
    const meanwhile: Database = {
      ...database,
      async query(statement, parameters) {
        if (statement.includes('insert into workshop_archives') && !isAsked) {
          isAsked = true;
          await erase();
        }
        return database.query(statement, parameters);
      },
    };
    // Where streams stay nothing is archived twice at one version: a record that is wrong would be wrong for good.
    const second = archive({ log, database: meanwhile }, () => running.fences, { streams: 'kept' });
    await second.archived(3);
    expect(isAsked).toBe(true);
    expect(JSON.stringify(await tablesOf(database, 3))).not.toContain('Quentin');
    expect(await checked(opened)).toMatchObject([{ kind: 'summary', workshops: 3, differences: 0 }]);
  });
});

it('[Z8] where streams are kept, deleted texts are overwritten in them, and everything else stays', async () => {
  const opened = await open(embedded());
  const { log } = opened;
  const running = project(opened);
  const appends = over(1);
  const said = { userId: 1, displayName: 'P', avatarUrl: null };
  await append(log, 1, [
    ...appends,
    [event('chat-message', { ...said, message: 'the secret' }, 0)],
    [event('chat-message', { ...said, message: 'stays' }, 0)],
  ]);
  const before = await inLog(log, 1);
  const secret = before.length - 1;
  await append(log, 1, [[event('chat-deleted', { id: secret, by: 1 }, 0)]]);
  await folded(opened, 1);
  const all = await inLog(log, 1);
  const archiving = archive(opened, () => running.fences, { streams: 'kept' });
  await archiving.archived(1);
  const after = await inLog(log, 1);
  expect(JSON.stringify(after)).not.toContain('the secret');
  expect(after.map(({ data: _, ...place }) => place)).toEqual(all.map(({ data: _, ...place }) => place));
  expect(after.at(secret)?.data).toMatchObject({ message: 'stays' });
  await archiving.rounds(2);
  const texts = new Set(
    all.flatMap(({ type, data }) => (type === 'chat-deleted' ? [(data as { id: number }).id] : [])),
  ).size;
  expect(archiving.told).toMatchObject([{ texts, version: all.length }]);
  // What is deleted later is overwritten later.
  await append(log, 1, [[event('chat-deleted', { id: secret + 1, by: 1 }, 0)]]);
  await archiving.archived(1, 2);
  expect(JSON.stringify(await inLog(log, 1))).not.toContain('"stays"');
  await isVerified(opened);
  expect(await checked(opened)).toMatchObject([{ kind: 'summary', workshops: 1, differences: 0 }]);
});

/** The database, of which one kind of statement fails once: before it is run, or after. */
function failingAt(database: Database, beginning: string, when: 'before' | 'after'): Database {
  return {
    ...database,
    async query(statement, parameters) {
      if (!statement.includes(beginning)) return database.query(statement, parameters);
      if (when === 'after') await database.query(statement, parameters);
      throw new Error('broken off');
    },
  };
}

/** Forgetting a person: nothing that was theirs is found anywhere afterwards, and nothing else has changed. Needs Redis and Postgres. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Database } from '../../../projections/database/database.ts';
import {
  type ErasureProgress,
  erasureProgress,
  requestErasure,
} from '../../../projections/erasing/request.ts';
import { rebuildsLeft, requestRebuild } from '../../../projections/rebuild/request.ts';
import { verify } from '../../../projections/verify/verify.ts';
import { type Projector, projector } from '../../../projections/worker/projector.ts';
import { listParked } from '../../../projections/worker/status.ts';
import type { RecordedEvent } from '../../../src/domain/evolve.ts';
import { nobody } from '../../../src/domain/text.ts';
import { type EventLog, readAll } from '../../../src/log/log.ts';
import { redisClient } from '../../kit/redis.ts';
import { until } from '../../kit/until.ts';
import { append, embedded, fail, folded, type Stores, servers } from '../stores.ts';

vi.setConfig({ testTimeout: 60_000 });

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

function project({ log, database }: Stores): Projector {
  const started = projector({ log, database, node: 'a', leaseMs: 900 });
  closers.push(() => started.close());
  return started;
}

const at = Date.parse('2026-01-02T10:00:00Z');
const [quentin, ada] = [77, 1];
const secrets = ['Quentin Quill', 'quill.example', 'the words of Quill', 'for what Quill said'];

let counted = 0;
const event = (by: number, type: string, data: object): RecordedEvent[] => [
  { version: 0, eventId: `e${++counted}`, type, schema: 1, at, by, commandId: `c${counted}`, data },
];
const person = { userId: quentin, displayName: 'Quentin Quill', avatarUrl: 'https://quill.example/me.png' };
const host = { userId: ada, displayName: 'Ada', avatarUrl: null };
const inRoom = { isHost: false, isCoHost: false, canSpeak: false };

/** A workshop in which both talk, and one is removed. */
const happened = (): RecordedEvent[][] => [
  event(ada, 'workshop-scheduled', {
    ...{ hostId: ada, title: 'Plaiting', description: null, scheduledAt: new Date(at).toISOString() },
    ...{ durationMinutes: null, visibility: 'public', capacity: null },
  }),
  event(quentin, 'user-rsvped', person),
  event(ada, 'state-changed', { status: 'live', startedAt: new Date(at).toISOString() }),
  event(ada, 'user-joined', { ...host, isHost: true, isCoHost: false, canSpeak: true }),
  event(quentin, 'user-joined', { ...person, ...inRoom }),
  event(quentin, 'hand-raised', { userId: quentin }),
  event(quentin, 'chat-message', { ...person, message: 'the words of Quill' }),
  event(ada, 'chat-message', { ...host, message: 'words of mine' }),
  event(ada, 'user-removed', { userId: quentin, by: ada, reason: 'for what Quill said' }),
];

async function everything(log: EventLog, workshopId: number): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for await (const page of readAll(log.events, workshopId)) events.push(...page);
  return events;
}

/** All that the tables hold, as text. */
async function tables(database: Database): Promise<string> {
  const names = await database.query(
    `select table_name as name from information_schema.tables where table_schema = 'public'`,
    [],
  );
  const texts = names.map(async ({ name }) => {
    const rows = await database.query(
      `select coalesce(string_agg(t::text, '\n'), '') as all from "${name}" t`,
      [],
    );
    return String(rows[0]?.all);
  });
  return (await Promise.all(texts)).join('\n');
}

/** All that lies under any key of a Redis, as bytes. */
async function keys(url: string): Promise<string> {
  const client = redisClient(url);
  try {
    const dumped = (await client.keys('*')).map(async (key) =>
      (await client.dumpBuffer(key))?.toString('latin1'),
    );
    const streams = (await client.keys('*:events'))
      .concat(await client.keys('*:feed*'))
      .map(async (key) => JSON.stringify(await client.xrange(key, '-', '+').catch(() => [])));
    return [...(await Promise.all(dumped)), ...(await Promise.all(streams))].join('\n');
  } finally {
    client.disconnect();
  }
}

/** What was erased, once the projectors have done it. */
async function erased({ log, database }: Stores, userId: number): Promise<ErasureProgress> {
  await requestErasure(database, log, { userId, by: 'a test' });
  return until(
    async () => {
      const progress = await erasureProgress(database, userId);
      return progress.left === 0 && progress;
    },
    { what: 'the person to be erased', timeout: 30_000 },
  );
}

const found = (text: string) => secrets.filter((secret) => text.includes(secret));

async function disagreements(stores: Stores): Promise<unknown[]> {
  const told: unknown[] = [];
  for await (const each of verify(stores))
    if (each.kind === 'difference' || each.kind === 'log') told.push(each);
  return told;
}

describe.each([
  ['Redis and Postgres', () => servers()],
  ['LMDB and PGlite', embedded],
])('with %s', (_, open) => {
  it('[Z10] a person’s name, picture and words are nowhere any more; ids, times, order and counts are as they were', async () => {
    const stores = await open();
    closers.push(() => stores.close());
    const { log, database } = stores;
    project(stores);
    for (const id of [1, 2]) await append(log, id, happened());
    await append(log, 3, happened().slice(0, 1));
    for (const id of [1, 2, 3]) await folded(stores, id);
    await database.query(
      `insert into workshop_events_lost select *, now() from workshop_events where workshop_id = 1`,
      [],
    );
    const before = await everything(log, 1);
    expect(found(await tables(database))).toEqual(secrets);

    expect(await erased(stores, quentin)).toMatchObject({ workshops: 2, messages: 2 });

    const after = await everything(log, 1);
    expect(found(JSON.stringify(after))).toEqual([]);
    expect(found(await tables(database))).toEqual([]);
    const place = ({ data: _, ...kept }: RecordedEvent) => kept;
    expect(after.map(place)).toEqual(before.map(place));
    expect(after[6]?.data).toEqual({ ...nobody, userId: quentin, message: null, deleted: true });
    expect(after[7]).toEqual(before[7]);
    // What follows is folded on what is left, and the tables are still what the log says.
    await append(log, 1, [
      event(ada, 'user-readmitted', { userId: quentin, by: ada }),
      event(ada, 'chat-message', { ...host, message: 'on we go' }),
    ]);
    for (const id of [1, 2, 3]) await folded(stores, id);
    expect(await disagreements(stores)).toEqual([]);
    expect(found(await tables(database))).toEqual([]);
    // Asked again it finds nothing more.
    expect(await erased(stores, quentin)).toMatchObject({ workshops: 2, messages: 2 });
  });
});

it('[Z10] an event that is spoilt keeps nobody from being forgotten', async () => {
  const stores = await servers();
  closers.push(() => stores.close());
  const { log, database } = stores;
  project(stores);
  for (const id of [1, 2]) await append(log, id, happened());
  await append(log, 1, [event(ada, 'user-joined', null as never)]);
  await folded(stores, 2);
  await until(async () => (await listParked(database)).length === 1, {
    what: 'one to be parked',
    timeout: 20_000,
  });
  expect(await erased(stores, quentin)).toMatchObject({ workshops: 2, messages: 2 });
  expect(found(JSON.stringify(await everything(log, 1)))).toEqual([]);
  expect(found(await tables(database))).toEqual([]);
});

it('[Z10] what was taken away is told, although the projector died before it had written that down', async () => {
  const stores = await servers();
  closers.push(() => stores.close());
  const { log, database } = stores;
  const first = project(stores);
  await append(log, 1, happened());
  await folded(stores, 1);
  await first.close();
  await requestErasure(database, log, { userId: quentin, by: 'a test' });
  let reached = false;
  const dying = project({
    ...stores,
    database: {
      ...database,
      async query(statement, parameters) {
        if (!statement.includes('done_at = case')) return database.query(statement, parameters);
        reached = true;
        throw Object.assign(new Error('it died'), { code: 'CONNECTION_CLOSED' });
      },
    },
  });
  await until(() => reached, { what: 'the end of the erasure', timeout: 20_000 });
  await dying.close();
  expect((await erasureProgress(database, quentin)).left).toBe(1);
  project(stores);
  expect(await erased(stores, quentin)).toMatchObject({ workshops: 1, messages: 1 });
});

it('[Z10] who is to be forgotten while all is folded anew is forgotten there too, and everything is right', async () => {
  const stores = await servers();
  closers.push(() => stores.close());
  const { log, database } = stores;
  const first = project(stores);
  for (let id = 1; id <= 12; id++) {
    await append(log, id, happened());
    await folded(stores, id);
  }
  await first.close();
  await database.query(`update workshop_attendees set can_speak = not can_speak`, []);
  await requestRebuild(database);
  let asked: Promise<unknown> | undefined;
  project({
    ...stores,
    database: {
      ...database,
      async copy(copy) {
        asked ??= requestErasure(database, log, { userId: quentin, by: 'a test' });
        await asked;
        return database.copy(copy);
      },
    },
  });
  await until(() => asked !== undefined, { what: 'the first rows folded anew', timeout: 30_000 });
  // Before that nothing is left either.
  await asked;
  await until(async () => (await erasureProgress(database, quentin)).left === 0, {
    what: 'the person to be forgotten',
    timeout: 30_000,
  });
  await until(async () => (await rebuildsLeft(database)) === 0, { what: 'the rebuild', timeout: 30_000 });
  expect(await disagreements(stores)).toEqual([]);
  expect(found(await tables(database))).toEqual([]);
});

it('[Z10] nor is it in a stream that was put back as it was while the person was forgotten', async () => {
  const stores = await servers();
  closers.push(() => stores.close());
  const { log, database } = stores;
  const first = project(stores);
  await append(log, 1, [...happened(), event(ada, 'state-changed', { status: 'ended' })]);
  await folded(stores, 1);
  await first.close();
  const before = await everything(log, 1);
  const { version = 0, epoch = '' } = (await log.events.head(1)) ?? {};
  expect(await log.streams.remove(1, { version, epoch, eventId: before.at(-1)?.eventId ?? '' })).toBe(true);
  async function* asItWas() {
    yield before;
  }
  let isBack = false;
  project({
    ...stores,
    log: {
      ...log,
      feed: {
        ...log.feed,
        async announce(workshopId) {
          // Read before anything was taken out of the rows, by a node that wants to go on with it.
          isBack ||= await log.streams.refill(workshopId, asItWas());
          await log.feed.announce(workshopId);
        },
      },
    },
  });
  expect(await erased(stores, quentin)).toMatchObject({ workshops: 1, messages: 1 });
  expect(isBack).toBe(true);
  const after = await everything(log, 1);
  expect(after).toHaveLength(before.length);
  expect(found(JSON.stringify(after))).toEqual([]);
  expect(found(await tables(database))).toEqual([]);
  expect(await disagreements(stores)).toEqual([]);
});

it('[Z10] nothing of a person is left under any key of Redis', async () => {
  const stores = await servers();
  closers.push(() => stores.close());
  const { log, url } = stores;
  project(stores);
  if (url === undefined) return fail(new Error('a Redis has an address'));
  await append(log, 1, happened());
  await folded(stores, 1);
  expect(found(await keys(url)).length).toBeGreaterThan(0);
  await erased(stores, quentin);
  expect(found(await keys(url))).toEqual([]);
});

/**
 * Events of an earlier and of a newer schema in the stores: both logs and `workshop_events` keep what was recorded, and what is
 * read out of them is the newest. Needs Redis and Postgres.
 */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { erasureProgress, requestErasure } from '../../projections/erasing/request.ts';
import { storedEvents } from '../../projections/events/queries.ts';
import { rebuildsLeft, requestRebuild } from '../../projections/rebuild/request.ts';
import { verify } from '../../projections/verify/verify.ts';
import { projector } from '../../projections/worker/projector.ts';
import { listParked } from '../../projections/worker/status.ts';
import { fold, type RecordedEvent } from '../../src/domain/evolve.ts';
import { workshopEngine } from '../../src/engine/engine.ts';
import { exportText } from '../../src/history/exports.ts';
import { workshopHistory } from '../../src/history/history.ts';
import { roomAt } from '../../src/history/stateAt.ts';
import { followedRoom } from '../../src/lib/socket/followedRoom.ts';
import { embeddedLog } from '../../src/log/embedded/log.ts';
import type { EventLog, FeedEntry } from '../../src/log/log.ts';
import { historyEvent } from '../../src/protocol/wire.ts';
import { temporaryFolder } from '../kit/folder.ts';
import { until } from '../kit/until.ts';
import { append, folded, type Stores, servers } from '../projections/stores.ts';
import { tablesOf } from '../projections/tables.ts';
import { chosen1, chosen1Now, chosen2, chosen3, scheduled } from './testOnly/nameChosen.ts';

vi.setConfig({ testTimeout: 60_000 });

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const recorded = [scheduled, chosen1, chosen2];
const now = [scheduled, chosen1Now, chosen2];
const context = { startedAt: null, deleted: new Set<number>() };

/** Redis, or LMDB, and Postgres. */
async function open(kind: EventLog['kind']): Promise<Stores> {
  const stores = await servers();
  closers.push(() => stores.close());
  if (kind === 'redis') return stores;
  const folder = temporaryFolder('log');
  const log = await embeddedLog({ path: folder.path });
  closers.push(async () => {
    await log.close();
    await folder.close();
  });
  return { ...stores, log };
}

function project({ log, database }: Stores): void {
  const started = projector({ log, database, node: 'a', leaseMs: 900 });
  closers.push(() => started.close());
}

/** Schema and data of each: what a log gives an event of its own is not looked at. */
const forms = (events: readonly RecordedEvent[]) => events.map(({ schema, data }) => ({ schema, data }));

async function verified({ log, database }: Stores): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const told of verify({ log, database }))
    if (told.kind === 'difference' || told.kind === 'log') found.push(told);
  return found;
}

/** Every entry that a tail brings of the workshop from here on. */
async function entriesOf(log: EventLog, workshopId: number): Promise<FeedEntry[]> {
  const entries: FeedEntry[] = [];
  const tail = log.feed.tail({
    from: new Map([[log.partitionOf(workshopId), 'end']]),
    onBatch: (batch) => void entries.push(...batch.entries),
    onError: () => undefined,
  });
  closers.push(() => tail.close());
  await tail.ready;
  return entries;
}

describe.each(['redis', 'embedded'] as const)('with the %s log', (kind) => {
  it('what was recorded under an earlier schema is kept as it is, and read as the newest', async () => {
    const stores = await open(kind);
    const { log, database } = stores;
    project(stores);
    const entries = await entriesOf(log, 1);
    await append(log, 1, [recorded]);
    await folded(stores, 1);

    // The log, its feed and the table keep it.
    expect(forms(await log.events.read(1, 0, 10))).toEqual(forms(recorded));
    await until(() => entries.length > 0, { what: 'the entry of the feed' });
    expect(forms(entries.flatMap((entry) => entry.events()))).toEqual(forms(recorded));
    const kept = storedEvents(database);
    expect(forms(await kept.read(1, 0, 10))).toEqual(forms(recorded));

    // Whoever folds or serves it gets the newest.
    const { id: __, at: ___, ...room } = fold(1, await log.events.read(1, 0, 10));
    expect(room).toMatchObject({ version: 3, members: fold(1, now).members });
    const engine = workshopEngine({ log, node: 'b' });
    closers.push(() => engine.close());
    expect((await engine.room(1))?.room.members).toEqual(fold(1, now).members);
    const people = (await tablesOf(database, 1)).attendees;
    expect(people.map(({ user_id, display_name }) => [user_id, display_name])).toEqual([
      [5, 'Ana'],
      [6, 'Bo'],
    ]);
    for (const history of [
      await workshopHistory(log.events).open(1),
      await workshopHistory({ ...log.events, head: async () => null }, kept).open(1),
    ]) {
      if (history === undefined) throw new Error('there is no history');
      const events = await history.read(0, 10);
      expect(forms(events.map((event) => ({ ...event, ...historyEvent(event, context), at: 0 })))).toEqual(
        forms(now),
      );
      expect((await roomAt(history, { version: 3 })).members).toEqual(fold(1, now).members);
      const wish = { what: 'events', format: 'ndjson', raw: false, intervals: false } as const;
      const source = { workshopId: 1, pages: history.pages(), now: 0, context: async () => context };
      let text = '';
      for await (const piece of exportText(source, wish)) text += piece;
      expect(
        forms(
          text
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line)),
        ),
      ).toEqual(forms(now));
    }

    // The tables are what the log says, also when they are folded anew.
    expect(await verified(stores)).toEqual([]);
    const before = await tablesOf(database, 1);
    await requestRebuild(database);
    await until(async () => (await rebuildsLeft(database)) === 0, { what: 'the rebuild', timeout: 20_000 });
    expect(await tablesOf(database, 1)).toEqual(before);
    expect(await verified(stores)).toEqual([]);
  });

  it('what a newer version recorded holds up nobody else: its workshop waits', async () => {
    const stores = await open(kind);
    const { log, database } = stores;
    project(stores);
    const failures: unknown[] = [];
    const room = followedRoom(log, 1, {
      ...{ before() {}, followsAgain() {}, epochBegan() {}, startedAnew() {} },
      ...{ missing: async () => undefined, failed: (error: unknown) => void failures.push(error) },
    });
    await append(log, 1, [recorded]);
    await room.ready;
    const entries = await entriesOf(log, 1);
    await append(log, 1, [[chosen3]]);
    await append(log, 2, [recorded]);
    await folded(stores, 2);

    const message = 'name-chosen has schema 3, and this version knows it up to 2: a newer one has to read it';
    await until(async () => (await listParked(database)).length > 0, {
      what: 'the parking',
      timeout: 20_000,
    });
    expect(await listParked(database)).toMatchObject([{ workshopId: 1, version: 4, reason: message }]);
    expect((await tablesOf(database, 1)).events).toHaveLength(3);
    const engine = workshopEngine({ log, node: 'b' });
    closers.push(() => engine.close());
    await expect(engine.room(1)).rejects.toMatchObject({ code: 'unavailable', cause: { message } });
    await until(() => entries.length > 0, { what: 'the entry of the feed' });
    for (const entry of entries) expect(() => room.take(entry)).not.toThrow();
    await until(() => failures.length > 0, { what: 'the room to say so' });
    expect(failures[0]).toMatchObject({ name: 'UnknownSchema', message });
    expect(room.room().version).toBe(3);

    // Nobody can tell what of it is a person's own: forgetting them is not said to be done.
    await requestErasure(database, log, { userId: 5, by: 'a test' });
    const isDone = async () => (await erasureProgress(database, 5)).left === 1;
    await until(isDone, { what: 'the erasure in the other workshop', timeout: 20_000 });
    expect(forms(await log.events.read(2, 1, 1))).toEqual([
      { schema: 1, data: { who: 5, name: 'Erased user' } },
    ]);
    expect(forms(await log.events.read(1, 1, 1))).toEqual(forms([chosen1]));
  });
});

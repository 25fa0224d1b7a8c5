/** The room at every moment of random histories: the same from the log, from kept events, with snapshots and without. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { storedEvents } from '../../projections/events/queries.ts';
import { events as eventsTable } from '../../projections/events/schema.ts';
import { rowsOf } from '../../projections/fold/folding.ts';
import { roomSnapshots, type Snapshots } from '../../projections/snapshots/snapshots.ts';
import { writeSnapshots } from '../../projections/snapshots/write.ts';
import type { RecordedEvent } from '../../src/domain/evolve.ts';
import type { Room } from '../../src/domain/room.ts';
import { type OpenHistory, workshopHistory } from '../../src/history/history.ts';
import { instantOf, type Moment, momentOf } from '../../src/history/moment.ts';
import { asSeenNow, roomAt } from '../../src/history/stateAt.ts';
import type { WorkshopEvents } from '../../src/log/log.ts';
import { historyEvent, type StateView, stateView } from '../../src/protocol/wire.ts';
import { ana, bo, cora, hanna } from '../domain/cast.ts';
import { anyStory, play, type Story } from '../domain/histories.ts';
import { databases, type FreshDatabase } from '../projections/databases.ts';

const [postgres] = databases;
let fresh: FreshDatabase;
let snapshots: Snapshots;
beforeAll(async () => {
  fresh = await postgres.open();
  snapshots = roomSnapshots(fresh.database);
}, 30_000);
afterAll(() => fresh.close());

let lastId = 0;
const epoch = 'a';

interface Kept {
  id: number;
  story: Story;
  log: Pick<WorkshopEvents, 'head' | 'read'>;
  sources: { name: string; history: OpenHistory; snapshots: Snapshots | undefined }[];
}

/** The story in a log and in the tables, with a snapshot at every seventh version. */
async function keep(story: Story, interval = 7): Promise<Kept> {
  const id = ++lastId;
  const { database } = fresh;
  const log = {
    head: async () => ({ version: story.events.length, epoch, past: new Map() }),
    read: async (_: number, after: number, limit: number) => story.events.slice(after, after + limit),
  };
  await database.drizzle.insert(eventsTable).values(rowsOf(id, epoch, story.events).events);
  const kept = storedEvents(database);
  const logged = workshopHistory(log, kept);
  const archived = workshopHistory({ ...log, head: async () => null }, kept);
  const written = await writeSnapshots(id, { histories: logged, snapshots, interval });
  expect(written).toBe(Math.floor(story.events.length / interval));
  const opened = async (history: typeof logged) => {
    const found = await history.open(id);
    if (found === undefined) throw new Error('there is no such history');
    return found;
  };
  const [inLog, inTables] = [await opened(logged), await opened(archived)];
  return {
    ...{ id, story, log },
    sources: [
      { name: 'the log', history: inLog, snapshots: undefined },
      { name: 'the log and snapshots', history: inLog, snapshots },
      { name: 'kept events', history: inTables, snapshots: undefined },
      { name: 'kept events and snapshots', history: inTables, snapshots },
    ],
  };
}

const finalRoom = ({ rooms }: Story): Room => rooms.at(-1) ?? expect.fail('a story without rooms');
const shown = (room: Room, story: Story): StateView =>
  stateView(asSeenNow(room, finalRoom(story)), epoch, Number.POSITIVE_INFINITY);

/** What the fold of all events gives at a version; ids of workshops aside. */
function expected(story: Story, version: number, id: number): StateView {
  const room = story.rooms[version] ?? expect.fail(`there is no version ${version}`);
  return { ...shown(room, story), workshopId: id };
}

function lastVersionAt(events: readonly RecordedEvent[], at: number): number {
  return events.filter((event) => event.at <= at).length;
}

async function holds({ id, story, sources }: Kept, moment: Moment, version: number): Promise<void> {
  for (const { name, history, snapshots } of sources) {
    const room = await roomAt(history, moment, { snapshots });
    const { authors: _, deleted: __, chat: ___, ...rest } = story.rooms[version] ?? expect.fail();
    expect(room).toMatchObject({ ...rest, id });
    expect(shown(room, story), `${JSON.stringify(moment)} from ${name}`).toEqual(
      expected(story, version, id),
    );
  }
}

/** Every version, the time of every event and the milliseconds around it, and the offsets of these from the start. */
async function holdsAtEveryMoment(kept: Kept): Promise<void> {
  const { events } = kept.story;
  const [inLog, , inTables] = await Promise.all(kept.sources.map(({ history }) => history.read(0, 10_000)));
  const wire = (recorded: readonly RecordedEvent[] | undefined) =>
    recorded?.map((event) => JSON.stringify(historyEvent(event, finalRoom(kept.story))));
  expect(wire(inTables)).toEqual(wire(inLog));
  const present = finalRoom(kept.story);
  for (const { version } of events) await holds(kept, { version }, version);
  const times = new Set(events.flatMap(({ at }) => [at - 1, at, at + 1]));
  for (const at of times) {
    if (at < present.createdAt) continue;
    await holds(kept, { at }, lastVersionAt(events, at));
    if (present.startedAt === null || at < present.startedAt) continue;
    const moment = momentOf({ offsetMs: at - present.startedAt }, present);
    expect(moment).toEqual({ at });
  }
}

describe('the room at any moment', () => {
  it('[T1] is the fold of all events up to it, from the log and from kept events, with snapshots and without', async () => {
    await fc.assert(
      fc.asyncProperty(anyStory, async (story) => holdsAtEveryMoment(await keep(story))),
      { numRuns: 20 },
    );
  }, 120_000);

  it('[T1] has the last 50 messages, however far back a snapshot has to look for them', async () => {
    const say = (n: number) => ({
      ...{
        name: 'chat' as const,
        payload: { message: `message ${n}` },
        actor: [ana, bo, hanna][n % 3] ?? ana,
      },
    });
    const hand = (n: number) => ({
      ...{ name: n % 2 === 0 ? ('raise-hand' as const) : ('lower-hand' as const), payload: {}, actor: bo },
    });
    const beginning = [
      {
        name: 'schedule-workshop' as const,
        payload: { title: 'Birds', scheduledAt: '2026-03-02T10:00:00.000Z', visibility: 'public' },
        actor: hanna,
      },
      { name: 'invite-users' as const, payload: { userIds: [5, 6] }, actor: hanna },
      { name: 'start' as const, payload: {}, actor: hanna },
      ...[hanna, ana, bo].map((actor) => ({ name: 'join' as const, payload: {}, actor })),
    ];
    const story = play([
      ...beginning,
      ...Array.from({ length: 70 }, (_, n) => say(n)),
      ...Array.from({ length: 40 }, (_, n) => hand(n)),
      ...Array.from({ length: 20 }, (_, n) => say(70 + n)),
      { name: 'delete-chat' as const, payload: { messageId: 30 }, actor: hanna },
      { name: 'end' as const, payload: {}, actor: hanna },
    ]);
    expect(finalRoom(story)).toMatchObject({ version: 139, status: 'ended' });
    await holdsAtEveryMoment(await keep(story, 40));
  }, 60_000);

  it('[T2] after the last event is the last one', async () => {
    const kept = await keep(play([...shortly]));
    const { length } = kept.story.events;
    await holds(kept, { at: Date.parse('2099-01-01T00:00:00Z') }, length);
  });

  it('[T7] is not folded on from a snapshot of events that the log lost', async () => {
    const kept = await keep(play([...shortly]), 3);
    // From version 3 on the log has other events now.
    const events = kept.story.events.map((event, index) =>
      index < 2
        ? event
        : { ...event, eventId: `other-${index}`, type: 'user-muted', data: { userId: 5, by: 1 } },
    );
    const log = {
      ...kept.log,
      read: async (_: number, after: number, n: number) => events.slice(after, after + n),
    };
    const history = (await workshopHistory(log).open(kept.id)) ?? expect.fail('it is not there');
    const room = await roomAt(history, { version: 6 }, { snapshots });
    expect(room).toMatchObject({ version: 6, status: 'scheduled' });
    expect(room).toEqual(await roomAt(history, { version: 6 }));
  });

  it('[T6] comes without snapshots too where their database fails or is frozen', async () => {
    const kept = await keep(play([...shortly]));
    const [{ history }] = kept.sources as [Kept['sources'][number]];
    const failing = { before: () => Promise.reject(new Error('the database is away')) };
    const frozen = { before: () => new Promise<undefined>(() => undefined) };
    for (const snapshots of [failing, frozen])
      expect(await roomAt(history, { version: 6 }, { snapshots })).toEqual(
        await roomAt(history, { version: 6 }),
      );
  });

  it('[T8] gives others their turn between two pages, and ends when nobody waits for it', async () => {
    const story = play([...shortly]);
    const many = Array.from({ length: 20_000 }, (_, index): RecordedEvent => {
      const last = story.events.at(-1) ?? expect.fail('no events');
      const version = story.events.length + 1 + index;
      return { ...last, version, type: 'user-muted', data: { userId: 5, by: 1 }, eventId: `e${version}` };
    });
    const events = [...story.events, ...many];
    const log = {
      head: async () => ({ version: events.length, epoch, past: new Map() }),
      read: async (_: number, after: number, limit: number) => events.slice(after, after + limit),
    };
    const history = (await workshopHistory(log).open(99)) ?? expect.fail('it is not there');
    let turns = 0;
    let over = false;
    const others = () => {
      turns++;
      if (!over) setImmediate(others);
    };
    setImmediate(others);
    await roomAt(history, { version: events.length });
    over = true;
    // A turn to each page of a thousand.
    expect(turns).toBeGreaterThanOrEqual(20);

    const gone = new AbortController();
    let reached = 0;
    const looking = roomAt(
      history,
      { version: events.length },
      {
        signal: gone.signal,
        onProgress(version) {
          reached = version;
          if (version > 3_000) gone.abort(new Error('the reader went away'));
        },
      },
    );
    await expect(looking).rejects.toThrow('the reader went away');
    expect(reached).toBeLessThan(5_000);
  });
});

const shortly = [
  {
    name: 'schedule-workshop' as const,
    payload: { title: 'Birds', scheduledAt: '2026-03-02T10:00:00.000Z', visibility: 'public' },
    actor: hanna,
  },
  { name: 'invite-users' as const, payload: { userIds: [2, 5, 6] }, actor: hanna },
  { name: 'start' as const, payload: {}, actor: hanna },
  ...[hanna, cora, ana, bo].map((actor) => ({ name: 'join' as const, payload: {}, actor })),
];

describe('a moment', () => {
  const present = { version: 8, createdAt: 1_000, startedAt: 5_000 };
  const reason = (...asked: Parameters<typeof momentOf>) => {
    try {
      return momentOf(...asked);
    } catch (error) {
      return error instanceof Error && 'code' in error ? `${error.code} ${error.message}` : error;
    }
  };

  it('[T3] is one of version, time and offset, or none', () => {
    expect(momentOf({}, present)).toBeUndefined();
    expect(momentOf({ version: 8 }, present)).toEqual({ version: 8 });
    expect(momentOf({ at: 1_000 }, present)).toEqual({ at: 1_000 });
    expect(momentOf({ offsetMs: 0 }, present)).toEqual({ at: 5_000 });
    expect(reason({ version: 1, at: 2_000 }, present)).toMatch(/^invalid_payload.*exclude each other/);
  });

  it('[T4] outside of the workshop is refused with what there is', () => {
    expect(reason({ version: 9 }, present)).toMatch(/^invalid_payload.*1 to 8/);
    expect(reason({ version: 0 }, present)).toMatch(/^invalid_payload.*1 to 8/);
    expect(reason({ at: 999 }, present)).toMatch(/^invalid_payload.*1970-01-01T00:00:01.000Z/);
    expect(reason({ offsetMs: -1 }, present)).toMatch(/^invalid_payload.*1970-01-01T00:00:05.000Z/);
    expect(reason({ offsetMs: 0 }, { ...present, startedAt: null })).toMatch(
      /^invalid_payload.*never started.*1 to 8/,
    );
  });

  it.each([
    ['2026-03-02T09:30:00Z', Date.parse('2026-03-02T09:30:00Z')],
    ['2026-03-02T09:30Z', Date.parse('2026-03-02T09:30:00Z')],
    ['2026-03-02T10:30:00.123+01:00', Date.parse('2026-03-02T09:30:00.123Z')],
    ['2026-03-02T10:30:00+0100', Date.parse('2026-03-02T09:30:00Z')],
    ['1772443800000', 1_772_443_800_000],
    ['0', 0],
    ['2026-03-02T09:30:00', undefined],
    ['2026-03-02', undefined],
    ['2026-02-30T25:00:00Z', undefined],
    ['8640000000000001', undefined],
    ['-5', undefined],
    ['1e3', undefined],
    ['yesterday', undefined],
    ['', undefined],
  ])('[T3] written as %j is %j', (text, at) => {
    expect(instantOf(text)).toBe(at);
  });
});

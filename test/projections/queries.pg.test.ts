/** Reads of the tables, as REST will make them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listAttendees } from '../../projections/attendees/queries.ts';
import { listChat } from '../../projections/chat/queries.ts';
import type { Database } from '../../projections/database/database.ts';
import { storedEvents } from '../../projections/events/queries.ts';
import { type Projector, projector } from '../../projections/worker/projector.ts';
import {
  foldedVersion,
  highestWorkshopId,
  listWorkshops,
  waitForVersion,
} from '../../projections/workshops/queries.ts';
import { isVisible } from '../../src/domain/decide.ts';
import type { User } from '../../src/domain/define.ts';
import { fold } from '../../src/domain/evolve.ts';
import { wireData } from '../../src/protocol/wire.ts';
import { until } from '../kit/until.ts';
import { type ArrayLog, arrayLog } from './arrayLog.ts';
import { databases, type FreshDatabase } from './databases.ts';
import { story } from './story.ts';

const seeds = Array.from({ length: 14 }, (_, index) => 81 + index);
const now = Date.parse('2026-03-02T00:00:00.000Z');

function user(userId: number, roles: User['roles'] = []): User {
  return { kind: 'user', userId, displayName: 'Someone', avatarUrl: null, roles };
}

describe.each(databases)('on $kind', ({ open }) => {
  let fresh: FreshDatabase;
  let database: Database;
  let running: Projector;
  let log: ArrayLog;
  const stories = new Map(seeds.map((seed) => [seed, story(seed, 120).flat()]));

  // PGlite opens within a second on an idle machine, and not on a busy one.
  beforeAll(async () => {
    fresh = await open();
    database = fresh.database;
    log = arrayLog();
    for (const [id, events] of stories) log.append(id, events);
    running = projector({ log, database, node: 'a' });
    for (const [id, events] of stories)
      await until(async () => (await foldedVersion(database, id)) === events.length, {
        what: `workshop ${id}`,
        timeout: 30_000,
      });
  }, 60_000);
  afterAll(async () => {
    await running.close();
    await fresh.close();
  });

  async function all<T>(
    page: (cursor: string | undefined) => Promise<{ items: T[]; nextCursor: string | null }>,
  ) {
    const items: T[] = [];
    let pages = 0;
    for (let cursor: string | undefined; ; pages++) {
      const found = await page(cursor);
      items.push(...found.items);
      if (found.nextCursor === null) return { items, pages: pages + 1 };
      cursor = found.nextCursor;
    }
  }

  it.each([1, 2, 5, 9, 12, 99])(
    'user %i is shown the workshops that the domain calls visible',
    async (userId) => {
      const visible = [...stories]
        .filter(([id, events]) => isVisible(fold(id, events), user(userId)))
        .map(([id]) => id)
        .reverse();
      const { items } = await all((cursor) => listWorkshops(database, user(userId), { cursor, limit: 3 }));
      expect(items.map((each) => each.id)).toEqual(visible);
    },
  );

  it('someone with a role is shown every workshop, page by page', async () => {
    const { items, pages } = await all((cursor) =>
      listWorkshops(database, user(99, ['analyst']), { cursor, limit: 7 }),
    );
    expect(items.map((each) => each.id)).toEqual([...seeds].reverse());
    expect(pages).toBe(2);
    const room = fold(94, stories.get(94) ?? []);
    expect(items[0]).toEqual({
      ...{ id: 94, hostId: 1, title: room.title, description: null, visibility: room.visibility },
      ...{ status: room.status, capacity: room.capacity, durationMinutes: null, version: room.version },
      scheduledAt: '2026-03-01T11:00:00.000Z',
      startedAt: room.startedAt === null ? null : new Date(room.startedAt).toISOString(),
      endedAt: room.endedAt === null ? null : new Date(room.endedAt).toISOString(),
      createdAt: new Date(room.createdAt).toISOString(),
    });
  });

  it('attendees and chat come page by page, once each and in order', async () => {
    const id = 85;
    const attendees = await all((cursor) => listAttendees(database, id, { cursor, limit: 4 }, now));
    const users = attendees.items.map((each) => each.userId);
    expect(users).toEqual([...new Set(users)].sort((one, other) => one - other));
    expect(users.length).toBeGreaterThan(6);
    const chat = await all((cursor) => listChat(database, id, { cursor, limit: 3 }));
    const room = fold(id, stories.get(id) ?? []);
    const expected = (stories.get(id) ?? [])
      .filter((event) => event.type === 'chat-message')
      .map((event) => wireData(event, room));
    expect(chat.items).toEqual(expected);
    expect(chat.items.some((line) => line.deleted)).toBe(true);
  });

  it('someone who is present has been so up to now', async () => {
    const at = Date.parse('2026-06-01T00:00:00.000Z');
    const [scheduled] = stories.get(81) ?? [];
    if (scheduled === undefined) throw new Error('no story');
    const who = {
      userId: 1,
      displayName: 'H',
      avatarUrl: null,
      isHost: true,
      isCoHost: false,
      canSpeak: true,
    };
    log.append(200, [
      { ...scheduled, at },
      { ...scheduled, at: at + 1_000, eventId: 'x', type: 'user-joined', data: who },
    ]);
    await waitForVersion(database, 200, 2);
    const { items } = await listAttendees(database, 200, { limit: 10 }, at + 61_000);
    expect(items).toMatchObject([{ userId: 1, status: 'rsvp', presentMs: 60_000, leftAt: null }]);
    expect(Object.keys(items[0] ?? {})).not.toContain('presentSince');
    expect(await highestWorkshopId(database)).toBe(200);
  });

  it('a cursor that was not given out is invalid', async () => {
    for (const cursor of ['', '!', 'abc', Buffer.from('1e3').toString('base64url'), 'MQ==', ' MQ'])
      await expect(listChat(database, 85, { cursor, limit: 3 })).rejects.toMatchObject({
        code: 'invalid_payload',
      });
  });

  it('waiting for a version ends when the tables have it, or as unavailable', async () => {
    await waitForVersion(database, 81, 1);
    await expect(waitForVersion(database, 81, 10_000, 50)).rejects.toMatchObject({ code: 'unavailable' });
    await expect(waitForVersion(database, 404, 1, 20)).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('the history is read as the log would tell it', async () => {
    const events = stories.get(85) ?? [];
    const read = await storedEvents(database).read(85, 10, 20);
    const { deleted } = fold(85, events);
    expect(read).toEqual(
      events
        .slice(10, 30)
        .map((event) =>
          deleted.has(event.version)
            ? { ...event, data: { ...(event.data as object), message: null, deleted: true } }
            : event,
        ),
    );
    expect(await storedEvents(database).version(85)).toBe(events.length);
    expect(await storedEvents(database).version(404)).toBe(0);
  });
});

/** The room as it was, over REST: at any moment, for whoever may read history, without what was deleted since. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attendeesPerPage, stateAttendees } from '../../src/protocol/wire.ts';
import { until } from '../kit/until.ts';
import { people, type RestServer, restServer } from './restServer.ts';

const { host, coHost, member, analyst } = people;
let server: RestServer;
/** Workshops whose stream the routes do not find any more. */
const archived = new Set<number>();

beforeAll(async () => {
  server = await restServer({
    seen: (log) => ({
      ...log,
      events: {
        ...log.events,
        head: async (id) => (archived.has(id) ? null : log.events.head(id)),
        read: async (id, ...page) => (archived.has(id) ? [] : log.events.read(id, ...page)),
      },
    }),
  });
});
afterAll(() => server.close());

const state = (id: number, query = '', who = host) =>
  server.ask(who, `GET /api/workshops/${id}/state${query}`);

/** A workshop with a story, and the version after each step. */
async function told() {
  const id = await server.workshop();
  const made = (await server.log.events.head(id))?.version ?? 0;
  await server.command(id, host, 'join');
  const before = await server.command(id, host, 'chat', { message: 'welcome' }).catch(() => 0);
  expect(before, 'nobody chats before the lobby').toBe(0);
  const live = await server.command(id, host, 'start');
  const joined = await server.command(id, member, 'join');
  const raised = await server.command(id, member, 'raise-hand');
  const said = await server.command(id, member, 'chat', { message: 'regretted' });
  const promoted = await server.command(id, host, 'approve-speaker', { targetUserId: member.userId });
  const ended = await server.command(id, host, 'end');
  await server.ask(host, `DELETE /api/workshops/${id}/chat/${said}`);
  return { id, made, live, joined, raised, said, promoted, ended };
}

describe('the state of a workshop', () => {
  let story: Awaited<ReturnType<typeof told>>;
  let times: Map<number, string>;
  beforeAll(async () => {
    story = await told();
    const { body } = await server.ask(host, `GET /api/workshops/${story.id}/events`);
    times = new Map(body.items.map((item: { version: number; at: string }) => [item.version, item.at]));
  });

  it('[T2] is the newest without a parameter, and that of the last version', async () => {
    const newest = await state(story.id);
    expect(newest).toMatchObject({ status: 200, body: { status: 'ended', version: story.ended + 1 } });
    expect((await state(story.id, `?version=${story.ended + 1}`)).body).toEqual(newest.body);
  });

  it('[T1] is that of the version, and has all that `workshop:state` has', async () => {
    const { body } = await state(story.id, `?version=${story.raised}`, coHost);
    expect(body).toEqual({
      ...{
        workshopId: story.id,
        version: story.raised,
        epoch: (await server.log.events.head(story.id))?.epoch,
      },
      ...{ status: 'live', title: 'Weaving', hostId: host.userId, coHostIds: [coHost.userId] },
      ...{ startedAt: times.get(story.live), endedAt: null, scheduledAt: '2030-05-01T10:00:00.000Z' },
      attendees: [
        {
          ...{ userId: host.userId, displayName: host.displayName, avatarUrl: null },
          ...{ isHost: true, isCoHost: false, canSpeak: true },
        },
        {
          ...{ userId: member.userId, displayName: member.displayName, avatarUrl: null },
          ...{ isHost: false, isCoHost: false, canSpeak: false },
        },
      ],
      ...{ attendeeCount: 2, raisedHands: [member.userId], chat: [] },
    });
    expect((await state(story.id, `?version=${story.promoted}`)).body).toMatchObject({ raisedHands: [] });
    expect((await state(story.id, '?version=1')).body).toMatchObject({ status: 'scheduled', attendees: [] });
  });

  it('[T3] is found by time, as ISO 8601 or as milliseconds, and by offset', async () => {
    const at = times.get(story.joined) ?? '';
    const last = Math.max(...[...times].filter(([, time]) => time <= at).map(([version]) => version));
    const wanted = (await state(story.id, `?version=${last}`)).body;
    const offset = Date.parse(at) - Date.parse(times.get(story.live) ?? '');
    const zoned = encodeURIComponent(at.replace('Z', '+00:00'));
    for (const query of [`at=${at}`, `at=${Date.parse(at)}`, `at=${zoned}`, `offsetMs=${offset}`])
      expect((await state(story.id, `?${query}`)).body, query).toEqual(wanted);
    expect((await state(story.id, '?at=2099-01-01T00:00:00Z')).body).toEqual((await state(story.id)).body);
    expect((await state(story.id, '?offsetMs=9007199254740991')).status).toBe(200);
  });

  it('[T5] has lost the text of what was deleted later, and keeps its place', async () => {
    for (const query of ['', `?version=${story.said}`, `?at=${times.get(story.ended)}`]) {
      const { text, body } = await state(story.id, query);
      expect(text).not.toContain('regretted');
      expect(body.chat).toMatchObject([
        { id: story.said, userId: member.userId, message: null, deleted: true },
      ]);
    }
  });

  it.each([
    ['?version=1&at=2030-01-01T00:00:00Z', /exclude each other/],
    ['?version=1&offsetMs=0', /exclude each other/],
    ['?at=2030-01-01T00:00:00Z&offsetMs=0', /exclude each other/],
    ['?version=1&version=2', /^version: /],
    ['?version=0', /^version: .*1/],
    ['?version=-1', /^version: /],
    ['?version=1.5', /^version: /],
    ['?version=last', /^version: /],
    ['?version=99999', /no version 99999, only 1 to \d+/],
    ['?at=2001-01-01T00:00:00Z', /made at \d{4}-.*no state before/],
    ['?at=0', /made at/],
    ['?at=tomorrow', /^at: .*ISO 8601 with a zone, or milliseconds/],
    ['?at=2030-01-01T00:00:00', /^at: .*ISO 8601 with a zone/],
    ['?at=', /^at: /],
    ['?offsetMs=-1', /^offsetMs: .*0/],
    ['?offsetMs=12m', /^offsetMs: /],
    ['?offsetMs=', /^offsetMs: /],
    ['?offsetMs=%20', /^offsetMs: /],
    ['?version=0x1', /^version: /],
  ])('[T4] with %s is refused, and the answer says what there is', async (query, message) => {
    expect(await state(story.id, query)).toMatchObject({
      status: 400,
      body: { error: { code: 'invalid_payload', message: expect.stringMatching(message) } },
    });
  });

  it('[T4] has no offset where the workshop was never started', async () => {
    const id = await server.workshop();
    expect(await state(id, '?offsetMs=0')).toMatchObject({
      status: 400,
      body: { error: { message: expect.stringMatching(/never started.*1 to \d/) } },
    });
  });

  it('[T4] of an unknown workshop is not found, whatever is asked of it', async () => {
    for (const query of ['', '?version=3', '?at=5', '?offsetMs=0'])
      expect(await state(987_654, query), query).toMatchObject({ status: 404 });
  });

  it('[T6] is the same once the stream is gone, and so are the events', async () => {
    const { id } = story;
    const version = (await server.log.events.head(id))?.version ?? 0;
    await server.ask(host, `GET /api/workshops/${id}/attendees?minVersion=${version}`);
    const questions = Array.from({ length: version }, (_, index) => `?version=${index + 1}`);
    questions.push('', `?at=${times.get(story.raised)}`, '?offsetMs=0');
    const everything = async () => {
      const states = [];
      for (const query of questions) states.push((await state(id, query, analyst)).body);
      const page = await server.ask(analyst, `GET /api/workshops/${id}/events?limit=1000`);
      const headers = { accept: 'application/x-ndjson' };
      const lines = await server.ask(analyst, `GET /api/workshops/${id}/events`, undefined, { headers });
      return { states: states.map(({ epoch: _, ...rest }) => rest), page: page.body, lines: lines.text };
    };
    const before = await everything();
    archived.add(id);
    const after = await everything();
    expect(after).toEqual(before);
    expect(after.lines.split('\n')).toHaveLength(version + 1);
  });
});

it('[T1] lists everyone, however many they are', async () => {
  const id = await server.workshop({ live: true });
  const crowd = Array.from({ length: stateAttendees + attendeesPerPage + 20 }, (_, n) => ({
    ...member,
    userId: 1_000 + n,
    displayName: `Person ${n}`,
  }));
  const userIds = crowd.map(({ userId }) => userId);
  for (let first = 0; first < userIds.length; first += 500)
    await server.command(id, host, 'invite-users', { userIds: userIds.slice(first, first + 500) });
  await Promise.all(crowd.map((each) => server.command(id, each, 'join')));
  const { version } = (await state(id)).body;
  await server.command(id, host, 'end');
  const { body } = await state(id, `?version=${version}`);
  expect(body.attendeeCount).toBe(crowd.length);
  expect(body.attendees.map(({ userId }: { userId: number }) => userId).sort()).toEqual([...userIds].sort());
  // A workshop of over 2,000 events has a snapshot by itself.
  const rows = () =>
    server.database.query(
      'select version from workshop_snapshots where workshop_id = $1::bigint and version > 0',
      [id],
    );
  await until(async () => (await rows()).length === 1, { what: 'its snapshot', timeout: 15_000 });
  expect((await state(id, `?version=${version}`)).body).toEqual(body);
}, 60_000);

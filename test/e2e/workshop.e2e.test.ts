/**
 * A workshop of 30 members, held from scheduling to the end over real sockets, once embedded and once on two nodes with
 * Redis and Postgres. What everyone saw and what the tables hold are both compared with the log.
 */
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RecordedEvent } from '../../src/domain/evolve.ts';
import { fold } from '../../src/domain/evolve.ts';
import type { Reply } from '../../src/protocol/wire.ts';
import { stateView } from '../../src/protocol/wire.ts';
import { clusterSettings, type Guest, type Json, type TestServer, testServer } from '../kit/server.ts';
import { until } from '../kit/until.ts';
import { expectedTables } from '../projections/expected.ts';

const host = 1;
const coHost = 2;
const invited = [3, 4, 5];
const heckler = 30;
const members = Array.from({ length: 30 }, (_, n) => n + 1);

describe.each(['embedded', 'on Redis with Postgres'])('a workshop of 30, %s', (kind) => {
  let servers: TestServer[];
  let databaseUrl: string | undefined;
  const nodeOf = (user: number) => servers[user % servers.length] as TestServer;

  beforeAll(async () => {
    if (kind === 'embedded') servers = [await testServer()];
    else {
      const settings = await clusterSettings();
      databaseUrl = settings.DATABASE_URL;
      servers = [await testServer(settings), await testServer(settings)];
    }
  });
  afterAll(async () => {
    for (const server of servers) await server.close();
  });

  it('is held, seen alike by everyone, and ends in tables that equal a fold of its log', {
    timeout: 60_000,
  }, async () => {
    const rest = (user: number, method: string, path: string, body?: unknown) =>
      nodeOf(user).rest(user, method, path, body);
    const plan = {
      title: 'Sourdough',
      scheduledAt: new Date().toISOString(),
      visibility: 'private',
      capacity: 28,
    };
    const created = await rest(host, 'POST', '/api/workshops', plan);
    expect(created.status).toBe(201);
    const workshopId: number = created.body.id;
    const path = `/api/workshops/${workshopId}`;
    expect((await rest(7, 'GET', path)).status).toBe(404);
    const userIds = members.filter((user) => user !== host);
    expect((await rest(host, 'POST', `${path}/invitations`, { userIds })).status).toBe(200);
    for (const user of userIds.filter((user) => !invited.includes(user)))
      expect((await rest(user, 'POST', `${path}/rsvp`)).status).toBe(200);
    expect((await rest(host, 'POST', `${path}/open-lobby`)).body).toMatchObject({ changed: true });

    const guests = new Map<number, Guest>();
    const enter = async (user: number, more: object = {}) => {
      const guest = await nodeOf(user).connect(user);
      const reply = await guest.say('join', { workshopId, ...more });
      if (reply.ok) await guest.state();
      guests.set(user, guest);
      return reply;
    };
    const at = (user: number) => guests.get(user) as Guest;
    const good = async (reply: Promise<Reply>) =>
      expect(await reply).toMatchObject({ ok: true, changed: true });

    await good(enter(host));
    await good(enter(coHost, { batch: true }));
    await good(at(host).say('promote-cohost', { workshopId, targetUserId: coHost }));
    const crowd = members.filter((user) => user > coHost);
    const replies = await Promise.all(crowd.map((user) => enter(user, { batch: user % 2 === 0 })));
    expect(replies.every((reply) => reply.ok)).toBe(true);
    expect((await rest(coHost, 'POST', `${path}/start`)).body).toMatchObject({ changed: true });

    await Promise.all(
      crowd.map((user) => good(at(user).say('chat', { workshopId, message: `hello from ${user}` }))),
    );
    for (const user of [9, 8, 7]) await good(at(user).say('raise-hand', { workshopId }));
    await good(at(coHost).say('approve-speaker', { workshopId, targetUserId: 9 }));
    await good(at(coHost).say('lower-hand', { workshopId, targetUserId: 8 }));
    await good(at(host).say('mute-user', { workshopId, targetUserId: 9 }));
    await good(at(host).say('revoke-speaker', { workshopId, targetUserId: 9 }));
    const insult = await at(heckler).say('chat', { workshopId, message: 'boo' });
    if (!insult.ok) throw new Error('the heckler was not heard');
    await good(at(coHost).say('delete-chat', { workshopId, messageId: insult.version }));
    await good(at(coHost).say('remove-user', { workshopId, targetUserId: heckler, reason: 'heckling' }));
    await good(at(10).say('leave', { workshopId }));
    at(11).close();
    await at(host).hears(...left(11));
    await good(enter(11));
    await good(at(coHost).say('remove-user', { workshopId, targetUserId: 12 }));
    await good(at(coHost).say('readmit-user', { workshopId, targetUserId: 12 }));
    await Promise.all(
      Array.from({ length: 100 }, (_, n) => at(13 + (n % 10)).say('chat', { workshopId, message: `${n}` })),
    );
    const live = await until(() => caughtUp(at(host)), { what: 'the host to have a state' });
    expect(live.attendeeCount).toBe(27);
    await good(at(host).say('demote-cohost', { workshopId, targetUserId: coHost }));
    expect((await rest(host, 'POST', `${path}/end`)).body).toMatchObject({ changed: true });
    await Promise.all([host, ...crowd.slice(5, 6)].map((user) => at(user).hears(...ended(user))));

    const { items } = (await rest(host, 'GET', `${path}/events?limit=1000`)).body;
    const log: RecordedEvent[] = items.map((item: Json) => ({ ...item, at: Date.parse(item.at) }));
    expect(log.map(({ version }) => version)).toEqual(log.map((_, index) => index + 1));
    sameForEveryone([at(host), at(coHost), at(13), at(14)], items);
    expect(stateView(fold(workshopId, log), '').status).toBe('ended');

    const version = log.length;
    const expected = expectedTables(log);
    const people = (await rest(host, 'GET', `${path}/attendees?limit=500&minVersion=${version}`)).body.items;
    expect(people.map(asRow)).toEqual(expected.attendees.map(withoutInstants));
    const chat = (await rest(host, 'GET', `${path}/chat?limit=500&minVersion=${version}`)).body.items;
    expect(chat.map(({ id, message }: Json) => [id, message])).toEqual(
      expected.chat.map(({ id, message }) => [id, message]),
    );
    expect(chat.filter(({ message }: Json) => message === null)).toHaveLength(1);
    if (databaseUrl !== undefined) await sameEvents(databaseUrl, workshopId, log);
  });
});

const left = (user: number) => ['user-left', ({ userId }: Json) => userId === user] as const;

function ended(user: number): [string, (payload: Json) => boolean] {
  return user % 2 === 0 && user !== host
    ? ['events', ({ events }) => events.some(({ type }: Json) => type === 'state-changed')]
    : ['state-changed', ({ status }) => status === 'ended'];
}

/** The host's room as a client folds it: its state, and the joining and leaving since. */
function caughtUp(guest: Guest): { attendeeCount: number } | undefined {
  const [state] = guest.all('state');
  if (state === undefined) return undefined;
  const gone = guest.all('user-left').length + guest.all('user-removed').length;
  return { attendeeCount: state.attendeeCount + guest.all('user-joined').length - gone };
}

/** From its state on, each heard every event of the log, in order. */
function sameForEveryone(guests: readonly Guest[], items: readonly Json[]): void {
  for (const guest of guests) {
    const [state] = guest.all('state');
    const heard = guest.heard.flatMap(({ name, payload }) =>
      name === 'workshop:events' ? payload.events : name === 'workshop:state' ? [] : [payload],
    );
    const due = items.filter(({ version }) => version > state.version);
    expect(heard.map(({ version }: Json) => version)).toEqual(due.map(({ version }) => version));
    expect(heard.map(({ at }: Json) => at)).toEqual(due.map(({ at }) => at));
  }
}

const asRow = (record: Json) => ({
  user_id: record.userId,
  display_name: record.displayName,
  status: record.status,
  is_host: record.isHost,
  is_co_host: record.isCoHost,
  can_speak: record.canSpeak,
  joined_at: record.joinedAt === null ? null : Date.parse(record.joinedAt),
  left_at: record.leftAt === null ? null : Date.parse(record.leftAt),
  present_ms: record.presentMs,
});

function withoutInstants({ avatar_url: _, hand_raised_at: _raised, ...row }: Json): Json {
  return row;
}

async function sameEvents(url: string, workshopId: number, log: readonly RecordedEvent[]): Promise<void> {
  const sql = postgres(url, { max: 1 });
  try {
    const rows = await sql`select version::int, event_id, type from workshop_events
      where workshop_id = ${workshopId} order by version`;
    expect(rows.map((row) => ({ ...row }))).toEqual(
      log.map(({ version, eventId, type }) => ({ version, event_id: eventId, type })),
    );
    const [{ text } = { text: '' }] = await sql`select string_agg(data::text, '') as text from workshop_events
      where workshop_id = ${workshopId}`;
    expect(text).not.toContain('boo');
  } finally {
    await sql.end();
  }
}

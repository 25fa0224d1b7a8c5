/** Timeline and exports by REST: who gets them, what is in them, and what becomes of readers who are slow or go away. */
import { get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { usualPatience } from '../../src/api/streams.ts';
import type { User } from '../../src/domain/define.ts';
import { appendChat } from '../kit/appendChat.ts';
import { until } from '../kit/until.ts';
import { people, type RestServer, restServer, tokenOf } from './restServer.ts';

const { host, coHost, member, analyst } = people;
let server: RestServer;
/** With slow readers, as a test wants it. */
const patience = { ...usualPatience };
let reads = 0;
/** How far the clock is ahead, in milliseconds. */
let ahead = 0;
/** What the log does when it is read; a test may make it fail. */
let onRead: (after: number) => void = () => undefined;

beforeAll(async () => {
  server = await restServer({
    parts: { patience },
    seen: (log) => ({
      ...log,
      now: () => log.now() + ahead,
      events: {
        ...log.events,
        read(...asked) {
          reads++;
          onRead(asked[1]);
          return log.events.read(...asked);
        },
      },
    }),
  });
  await server.app.listen({ port: 0, host: '127.0.0.1' });
});
afterAll(() => server.close());

const address = (path: string) => {
  const { port } = server.app.server.address() as AddressInfo;
  return `http://127.0.0.1:${port}${path}`;
};

/** A request over a connection of its own. */
async function asking(who: User, path: string) {
  const headers = { authorization: `Bearer ${await tokenOf(who)}` };
  const asked = get(address(path), { headers, agent: false });
  return asked.on('error', () => undefined);
}

/** Its answer, which nobody reads yet. */
async function request(who: User, path: string) {
  const asked = await asking(who, path);
  const response = await new Promise<IncomingMessage>((resolve) => asked.once('response', resolve));
  response.on('error', () => undefined);
  return { response, stop: () => asked.destroy() };
}

const rows = (text: string): Record<string, string>[] => parse(text, { columns: true });

describe('a small workshop', () => {
  let id: number;
  let message: number;

  beforeAll(async () => {
    id = await server.workshop();
    await server.command(id, host, 'join');
    await server.command(id, host, 'start');
    await server.command(id, member, 'join');
    await server.command(id, member, 'raise-hand');
    await server.command(id, host, 'approve-speaker', { targetUserId: member.userId });
    await server.command(id, member, 'chat', { message: '=1+1' });
    message = await server.command(id, member, 'chat', { message: 'regretted' });
    await server.command(id, host, 'delete-chat', { messageId: message });
    await server.command(id, coHost, 'join');
    await server.command(id, coHost, 'leave');
    await server.command(id, host, 'end');
  });

  it('[A1] has a timeline that agrees with the tables', async () => {
    const { status, body } = await server.ask(analyst, `GET /api/workshops/${id}/timeline?bucketMs=100`);
    expect(status).toBe(200);
    const head = (await server.log.events.head(id))?.version ?? 0;
    const listed = await server.ask(host, `GET /api/workshops/${id}/attendees?limit=500&minVersion=${head}`);
    const attended = listed.body.items.filter(
      ({ joinedAt }: { joinedAt: string | null }) => joinedAt !== null,
    );
    const presentMs: number[] = attended.map((each: { presentMs: number }) => each.presentMs);
    expect(body).toMatchObject({
      ...{ workshopId: id, bucketMs: 100, startedAt: expect.any(String), endedAt: expect.any(String) },
      totals: {
        ...{ uniqueAttendees: 3, peakPresent: 3, messages: 1, handsRaised: 1, spokeUpShare: 0.333333 },
        medianHandWaitMs: body.totals.p90HandWaitMs,
      },
    });
    expect(presentMs).toHaveLength(3);
    const mean = presentMs.reduce((sum, ms) => sum + ms, 0) / 3 / 60_000;
    expect(body.totals.averageMinutesPresent).toBeCloseTo(mean, 5);
    expect(body.marks.map(({ type }: { type: string }) => type)).toEqual(
      expect.arrayContaining(['cohost-promoted', 'user-removed', 'state-changed', 'peak-present']),
    );
    const usual = await server.ask(host, `GET /api/workshops/${id}/timeline`);
    expect(usual.body).toMatchObject({ bucketMs: 60_000, series: [{ offsetMs: 0, chat: 1, present: 3 }] });
  });

  it('[A21] has an engagement that says who did what, and how long the hand waited', async () => {
    const { status, body } = await server.ask(analyst, `GET /api/workshops/${id}/engagement`);
    const { totals } = (await server.ask(analyst, `GET /api/workshops/${id}/timeline`)).body;
    expect(status).toBe(200);
    expect(body).toMatchObject({
      workshopId: id,
      people: [
        { userId: host.userId, role: 'host', messages: 0, handsRaised: 0, approvals: 0 },
        { userId: member.userId, role: 'speaker', messages: 1, handsRaised: 1, approvals: 1 },
        { userId: coHost.userId, role: 'co-host', messages: 0, handsRaised: 0, approvals: 0 },
      ],
      hands: [{ userId: member.userId, outcome: 'approved', waitMs: totals.medianHandWaitMs }],
    });
  });

  it('[A7] is exported as attendance that agrees with the tables', async () => {
    const answer = await server.ask(host, `GET /api/workshops/${id}/export?what=attendance&format=csv`);
    expect(answer.headers).toMatchObject({
      'content-type': 'text/csv; charset=utf-8',
      'content-disposition': `attachment; filename="workshop-${id}-attendance.csv"`,
    });
    const listed = await server.ask(host, `GET /api/workshops/${id}/attendees?limit=500`);
    const found = rows(answer.text);
    expect(found.map(({ userId, role }) => [Number(userId), role])).toEqual([
      [host.userId, 'host'],
      [member.userId, 'speaker'],
      [coHost.userId, 'co-host'],
    ]);
    for (const { userId, minutesPresent, lastLeftAt } of found) {
      const row = listed.body.items.find((each: { userId: number }) => each.userId === Number(userId));
      expect(Number(minutesPresent)).toBeCloseTo(row.presentMs / 60_000, 5);
      expect(lastLeftAt).toBe(row.leftAt);
    }
    const stays = await server.ask(host, `GET /api/workshops/${id}/export?what=attendance&intervals=1`);
    expect(rows(stays.text)).toHaveLength(3);
    expect(stays.headers['content-disposition']).toContain('-attendance-intervals.csv');
  });

  it('[A9] is exported as chat and events in every form, never with a deleted text', async () => {
    const { ask } = server;
    const csv = await ask(coHost, `GET /api/workshops/${id}/export?what=chat&format=csv`);
    expect(rows(csv.text)).toMatchObject([
      { displayName: member.displayName, message: "'=1+1", deleted: 'false' },
      { id: String(message), message: '', deleted: 'true' },
    ]);
    const raw = await ask(coHost, `GET /api/workshops/${id}/export?what=chat&format=csv&raw=1`);
    expect(rows(raw.text)[0]).toMatchObject({ message: '=1+1' });
    const vtt = await ask(analyst, `GET /api/workshops/${id}/export?what=chat&format=vtt`);
    expect(vtt.headers['content-type']).toBe('text/vtt; charset=utf-8');
    expect(vtt.text).toMatch(/^WEBVTT\n\n\d+\n00:00:0\d\.\d{3} --> .*\n<v Mel Member>=1\+1\n/);
    const lines = await ask(host, `GET /api/workshops/${id}/export?what=events&format=ndjson`);
    expect(lines.headers['content-type']).toBe('application/x-ndjson; charset=utf-8');
    const events = await ask(host, `GET /api/workshops/${id}/events?limit=1000`);
    const items = lines.text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(items).toEqual(events.body.items);
    for (const { text } of [csv, raw, vtt, lines]) expect(text).not.toContain('regretted');
  });

  it('[A12] is refused with what is allowed', async () => {
    const wrong = [
      ['export', /what/],
      ['export?what=hands', /attendance.*chat.*events/],
      ['export?what=chat&format=xlsx', /csv.*ndjson.*vtt/],
      ['export?what=events&format=vtt', /vtt is for chat alone.*csv and ndjson/],
      ['export?what=chat&intervals=1', /attendance/],
      ['export?what=chat&raw=yes', /raw/],
      ['timeline?bucketMs=0', /bucketMs/],
      ['timeline?bucketMs=1.5', /bucketMs/],
      ['timeline?bucketMs=minute', /bucketMs/],
    ] as const;
    for (const [path, message] of wrong) {
      const { status, body } = await server.ask(host, `GET /api/workshops/${id}/${path}`);
      expect([status, body.error.code], path).toEqual([400, 'invalid_payload']);
      expect(body.error.message, path).toMatch(message);
    }
    const unknown = await server.ask(host, 'GET /api/workshops/987654/export?what=chat');
    expect(unknown).toMatchObject({ status: 404, body: { error: { code: 'not_found' } } });
    expect(unknown.headers['content-disposition']).toBeUndefined();
  });
});

it('[A6] buckets that would be too many are refused with the smallest length', async () => {
  const id = await server.workshop({ live: true });
  ahead = 86_400_000;
  try {
    const { status, body } = await server.ask(host, `GET /api/workshops/${id}/timeline?bucketMs=1000`);
    expect(status).toBe(400);
    const [, least = ''] = /at least (17[23]\d) .*50000 buckets/.exec(body.error.message) ?? [];
    const enough = await server.ask(host, `GET /api/workshops/${id}/timeline?bucketMs=${Number(least) + 1}`);
    expect(enough.body.series.length).toBeGreaterThan(49_900);
    expect(enough.body.series.length).toBeLessThanOrEqual(50_000);
  } finally {
    ahead = 0;
  }
});

describe('a large workshop', () => {
  let id: number;
  const count = 10_000;
  const path = () => `/api/workshops/${id}/export?what=events&format=csv`;
  const left = () =>
    server.lines.filter((line) => /:id\/(timeline|export)".*the reader went away/.test(line)).length;
  /** Nobody reads the log any more. */
  const settled = () =>
    until(
      async () => {
        const before = reads;
        await new Promise((resolve) => setTimeout(resolve, 100));
        return before === reads;
      },
      { what: 'reading to be over' },
    );
  const cuts = (why: RegExp) => server.lines.filter((line) => why.test(line)).length;

  beforeAll(async () => {
    id = await server.workshop({ live: true });
    await appendChat(server.log, { workshopId: id, count, message: '🧶'.repeat(500) });
  }, 60_000);

  it('[A13] is exported up to the version at which that began, although it goes on', {
    timeout: 60_000,
  }, async () => {
    const head = (await server.log.events.head(id))?.version ?? 0;
    const { response } = await request(host, path());
    response.setEncoding('utf8');
    let text = '';
    for await (const chunk of response) {
      if (text === '') await appendChat(server.log, { workshopId: id, count: 100, message: 'later' });
      text += chunk;
    }
    expect(text.split('\r\n')).toHaveLength(head + 2);
    expect(text).not.toContain('later');
  });

  it('[A14] is read no further once the reader goes away', async () => {
    reads = 0;
    const gone = left();
    const { stop } = await request(host, path());
    stop();
    await until(() => left() === gone + 1, { what: 'the request to be over', timeout: 15_000 });
    await settled();
    // All of it would be twenty pages.
    expect(reads).toBeLessThan(15);
  });

  it.each(['timeline', 'export?what=attendance'])(
    '[A14] is folded no further once who asked for its %s goes away',
    async (what) => {
      await settled();
      reads = 0;
      const gone = left();
      const asked = await asking(host, `/api/workshops/${id}/${what}`);
      onRead = () => asked.destroy();
      await until(() => left() === gone + 1, { what: 'the request to be over', timeout: 15_000 });
      onRead = () => undefined;
      await settled();
      expect(reads).toBeLessThan(15);
    },
  );

  it('[A15] is cut off from a reader who reads nothing, and from one who reads for ever', {
    timeout: 30_000,
  }, async () => {
    try {
      patience.idleMs = 500;
      const idle = await request(host, path());
      await until(() => cuts(/its reader read nothing/) === 1, { what: 'it to be cut' });
      await expect(rest(idle.response)).rejects.toThrow(/aborted/);

      Object.assign(patience, { idleMs: 60_000, totalMs: 2_000 });
      const slow = await request(host, path());
      const trickle = setInterval(() => slow.response.read(20_000), 20);
      await until(() => cuts(/took too long/) === 1, { what: 'it to be cut' });
      clearInterval(trickle);
      await expect(rest(slow.response)).rejects.toThrow(/aborted/);
    } finally {
      Object.assign(patience, usualPatience);
    }
  });

  it('[A16] breaks off with the connection where the log fails in the middle, and is an error where it fails at once', async () => {
    let failing = 3_000;
    onRead = (after) => {
      if (after >= failing) throw new Error('the log is away');
    };
    try {
      const { response } = await request(host, path());
      expect(response.statusCode).toBe(200);
      await expect(rest(response)).rejects.toThrow(/aborted/);
      failing = 0;
      const refused = await server.ask(host, `GET ${path()}`);
      expect(refused).toMatchObject({ status: 503, body: { error: { code: 'unavailable' } } });
      expect(refused.headers['content-disposition']).toBeUndefined();
      const folded = await server.ask(host, `GET /api/workshops/${id}/timeline`);
      expect(folded).toMatchObject({ status: 503, body: { error: { code: 'unavailable' } } });
    } finally {
      onRead = () => undefined;
    }
  });

  it('[A17] leaves room for others while it is folded and written', { timeout: 60_000 }, async () => {
    // Pages that are read between two turns of the loop in which anyone else may be answered.
    let pages = 0;
    let most = 0;
    onRead = () => {
      most = Math.max(most, ++pages);
    };
    let over = false;
    const others = () => {
      pages = 0;
      if (!over) setImmediate(others);
    };
    setImmediate(others);
    const kinds = ['timeline', 'export?what=attendance', 'export?what=chat'];
    await Promise.all(
      kinds.map(async (what, index) => {
        const who: User = { ...analyst, userId: 200 + index };
        await rest((await request(who, `/api/workshops/${id}/${what}`)).response);
      }),
    );
    over = true;
    onRead = () => undefined;
    // The next page is asked for while one is worked on.
    expect(most).toBeLessThanOrEqual(2 * kinds.length);
    expect(most).toBeGreaterThan(0);
  });
});

async function rest(response: IncomingMessage): Promise<number> {
  let length = 0;
  for await (const chunk of response) length += chunk.length;
  return length;
}

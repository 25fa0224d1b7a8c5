/**
 * A workshop that is over and leaves Redis, seen by everyone who still looks at it: over REST not a byte differs, people who are
 * still connected are served as before, and a message may still be taken back. A second gateway has never seen its stream.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { networkTo } from '../kit/network.ts';
import { startProcess } from '../kit/process.ts';
import { program } from '../kit/program.ts';
import { redisClient } from '../kit/redis.ts';
import {
  clusterSettings,
  type Guest,
  type Json,
  liveWorkshop,
  type TestServer,
  testServer,
  token,
} from '../kit/server.ts';
import { until } from '../kit/until.ts';

const analyst = { id: 90, roles: ['analyst'] };
const admin = { id: 91, roles: ['admin'] };
const never = '525600';

let settings: Record<string, string>;
let gateway: TestServer;
let other: TestServer;
let projecting: TestServer;
let workshopId: number;
let said: number[];
let host: Guest;
let guest: Guest;
let before: Map<string, string>;

beforeAll(async () => {
  settings = { ...(await clusterSettings()), RATE_LIMIT_SCALE: '0' };
  gateway = await testServer({ ...settings, ROLE: 'gateway' });
  projecting = await testServer({ ...settings, ROLE: 'projector', ARCHIVE_AFTER_MINUTES: never });
  [host, guest] = [await gateway.connect(1), await gateway.connect({ id: 2, name: '=2+3' })];
  ({ workshopId, said } = await held());
  before = await everything(gateway);
  // One that archives at once takes over.
  await projecting.close();
  projecting = await testServer({ ...settings, ROLE: 'projector', ARCHIVE_AFTER_MINUTES: '0' });
  await isArchived();
  other = await testServer({ ...settings, ROLE: 'gateway' });
}, 120_000);

afterAll(async () => {
  for (const server of [gateway, other, projecting]) await server?.close();
});

/** Five messages of which one is taken back, a hand, a removal, someone who is late; the versions of the messages. */
async function held(): Promise<{ workshopId: number; said: number[] }> {
  const workshopId = await liveWorkshop(gateway, [2, 3]);
  const said: number[] = [];
  const done = async (answer: Promise<Json>) => {
    const { ok, version } = await answer;
    expect(ok).toBe(true);
    return version as number;
  };
  await done(host.say('join', { workshopId }));
  await done(guest.say('join', { workshopId }));
  for (let count = 0; count < 5; count++)
    said.push(await done(guest.say('chat', { workshopId, message: `message ${count}` })));
  await done(guest.say('delete-chat', { workshopId, messageId: said[1] ?? 0 }));
  await done(guest.say('raise-hand', { workshopId }));
  await done(host.say('approve-speaker', { workshopId, targetUserId: 2 }));
  const late = await gateway.connect(3);
  await done(late.say('join', { workshopId }));
  await done(host.say('remove-user', { workshopId, targetUserId: 3, reason: 'shouting' }));
  late.close();
  const { body } = await gateway.rest(1, 'POST', `/api/workshops/${workshopId}/end`);
  const chat = `/api/workshops/${workshopId}/chat?minVersion=${body.version}`;
  await until(async () => (await gateway.rest(1, 'GET', chat)).status === 200, { what: 'the tables' });
  return { workshopId, said };
}

/** The names of the keys that Redis has of the workshop. */
async function keys(id = workshopId): Promise<string[]> {
  const client = redisClient(settings.REDIS_URL ?? '');
  try {
    return await client.keys(`ws:*:${id}:*`);
  } finally {
    client.disconnect();
  }
}

const isArchived = (id = workshopId) =>
  until(async () => !(await keys(id)).some((key) => key.endsWith(':events')), {
    what: 'the stream to be gone',
    timeout: 20_000,
  });

async function text(
  server: TestServer,
  user: Parameters<TestServer['rest']>[0],
  path: string,
): Promise<string> {
  const bearer = await token(typeof user === 'number' ? { id: user } : user);
  const answer = await fetch(server.url + path, { headers: { authorization: `Bearer ${bearer}` } });
  return `${answer.status} ${answer.headers.get('content-type')}\n${await answer.text()}`;
}

/** All that REST tells of the workshop. The epoch is the log's, and is left out. */
async function everything(server: TestServer): Promise<Map<string, string>> {
  const base = `/api/workshops/${workshopId}`;
  const { body } = await server.rest(1, 'GET', `${base}/state`);
  const versions = Array.from({ length: body.version }, (_, index) => index + 1);
  const exports = ['attendance', 'chat', 'events'].flatMap((what) =>
    ['csv', 'ndjson'].map((format) => `what=${what}&format=${format}`),
  );
  const paths = [
    ...['', '/attendees', '/chat', '/chat?limit=2', '/events', '/events?after=3&limit=4'],
    ...['/state', '/state?offsetMs=0', '/state?offsetMs=1', '/state?at=4102444800000'],
    ...versions.map((version) => `/state?version=${version}`),
    ...['/timeline', '/timeline?bucketMs=1000'],
    ...exports.map((query) => `/export?${query}`),
    ...['/export?what=attendance&intervals=1', '/export?what=chat&format=vtt', '/export?what=events&raw=1'],
    // What there is not, too.
    ...[`/state?version=${versions.length + 1}`, '/state?at=1', '/export?what=songs'],
  ];
  const found = new Map<string, string>();
  for (const path of paths)
    for (const user of [1, analyst])
      found.set(
        `${typeof user === 'number' ? 'host' : 'analyst'} ${path}`,
        (await text(server, user, base + path)).replace(/"epoch":"[^"]*"/, ''),
      );
  return found;
}

const withoutInstance = (texts: Map<string, string>) =>
  [...texts].map(([path, body]) => [path, body.replace(/"instance":"[^"]*"/, '')]);

describe('a workshop that was archived', () => {
  it('[Z4] reads the same, byte by byte, on a node that knew it and on one that did not', {
    timeout: 60_000,
  }, async () => {
    expect([...before.values()].filter((body) => body.startsWith('200')).length).toBeGreaterThan(40);
    expect(withoutInstance(await everything(other))).toEqual(withoutInstance(before));
    expect(withoutInstance(await everything(gateway))).toEqual(withoutInstance(before));
  });

  it('[Z4] is over for those who are still connected, and for who comes', async () => {
    for (const server of [gateway, other]) {
      const late = await server.connect(2);
      const known = await server.rest(1, 'GET', `/api/workshops/${workshopId}`);
      expect(known.body).toMatchObject({ status: 'ended' });
      expect(await late.say('chat', { workshopId, message: 'too late' })).toMatchObject({ ok: false });
      expect(await late.say('join', { workshopId })).toMatchObject({
        ok: false,
        error: { code: 'invalid_state' },
      });
      late.close();
    }
    // Everyone left when it ended.
    expect(await guest.say('leave', { workshopId })).toMatchObject({
      ok: false,
      error: { code: 'not_joined' },
    });
    // The version alone stays, so that nothing can begin at 1 again.
    expect(await keys()).toEqual([expect.stringMatching(/:meta$/)]);
  });

  it('[Z7] loses a message that is taken back, in every answer, and is archived again', {
    timeout: 60_000,
  }, async () => {
    const [first = 0, , third = 0] = said;
    const removed = await other.rest(2, 'DELETE', `/api/workshops/${workshopId}/chat/${first}`);
    expect(removed).toMatchObject({ status: 200, body: { changed: true } });
    // Whoever had answered for it does not need to be asked meanwhile.
    await isArchived();
    expect(JSON.stringify([...(await everything(gateway))])).not.toContain('message 0');
    // Another one, on the node that had folded the stream before it went away.
    expect(await gateway.rest(1, 'DELETE', `/api/workshops/${workshopId}/chat/${third}`)).toMatchObject({
      status: 200,
      body: { changed: true, version: removed.body.version + 1 },
    });
    await isArchived();
    for (const server of [gateway, other]) {
      const all = JSON.stringify([...(await everything(server))]);
      for (const gone of ['message 0', 'message 1', 'message 2']) expect(all).not.toContain(gone);
      expect(all).toContain('message 3');
    }
  });

  it('[Z7] ended for those, too, whose node was cut off until it was archived', {
    timeout: 90_000,
  }, async () => {
    const network = await networkTo(settings.REDIS_URL ?? '');
    const cutOff = await testServer({ ...settings, ROLE: 'gateway', REDIS_URL: network.url });
    try {
      const id = await liveWorkshop(gateway, [2]);
      const there = await cutOff.connect(2);
      expect(await there.say('join', { workshopId: id })).toMatchObject({ ok: true });
      await there.state();
      network.sever();
      expect((await gateway.rest(1, 'POST', `/api/workshops/${id}/end`)).status).toBe(200);
      await isArchived(id);
      network.mend();
      await there.hears('state', ({ status }) => status === 'ended');
      expect(await there.say('chat', { workshopId: id, message: 'too late' })).toMatchObject({ ok: false });
    } finally {
      await cutOff.close();
      await network.close();
    }
  });

  it('[Z7] is printed by `workshop tail`, without what was taken back', { timeout: 30_000 }, async () => {
    const printing = await startProcess({
      command: process.execPath,
      args: [program, 'tail', String(workshopId), '--no-follow', '--json'],
      env: settings,
    });
    const { code } = await printing.ended;
    expect(code, printing.output()).toBe(0);
    const events = printing
      .stdout()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const { body } = await gateway.rest(1, 'GET', `/api/workshops/${workshopId}/events?limit=1000`);
    expect(events).toEqual(body.items);
    expect(printing.stdout()).not.toContain('message 1');
  });

  it('[Z7] is still there when Redis lost everything, and its id is given to no other', {
    timeout: 60_000,
  }, async () => {
    const client = redisClient(settings.REDIS_URL ?? '');
    await client.flushdb();
    client.disconnect();
    const fresh = await testServer({ ...settings, ROLE: 'gateway' });
    try {
      const { body } = await fresh.rest(1, 'GET', `/api/workshops/${workshopId}/state`);
      expect(body).toMatchObject({ workshopId, status: 'ended' });
      await until(async () => (await liveWorkshop(fresh, [])) > workshopId, { what: 'an id of its own' });
    } finally {
      await fresh.close();
    }
  });

  it('[Z9] comes out as it was recorded', async () => {
    const bearer = await token(admin);
    const answer = await fetch(`${projecting.url}/api/admin/check-replay`, {
      headers: { authorization: `Bearer ${bearer}` },
    });
    const lines = (await answer.text())
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.at(-1)).toMatchObject({ kind: 'summary', workshops: 2, differences: 0 });
  });
});

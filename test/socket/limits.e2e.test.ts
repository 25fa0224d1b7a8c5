/** Rate limits as clients meet them: what is refused, what never is, and who is disconnected. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allowancesOf, socketsOfUser } from '../../src/limits/table.ts';
import { type RawClient, rawClient, received } from '../kit/rawClient.ts';
import {
  clusterSettings,
  type Guest,
  guestOn,
  type Json,
  liveWorkshop,
  type TestServer,
  testServer,
  token,
} from '../kit/server.ts';
import { until } from '../kit/until.ts';

const chats = allowancesOf('chat').user?.points ?? 0;
const servers: TestServer[] = [];
let server: TestServer;
let cluster: Record<string, string>;

const started = async (settings: Record<string, string> = {}): Promise<TestServer> => {
  const made = await testServer({ ...cluster, ...settings });
  servers.push(made);
  return made;
};

beforeAll(async () => {
  cluster = await clusterSettings();
  server = await started();
}, 60_000);
afterAll(() => Promise.all(servers.map((each) => each.close())));

async function joined(workshopId: number, ...users: number[]): Promise<Guest[]> {
  const guests = await Promise.all(users.map((user) => server.connect(user)));
  for (const guest of guests) expect(await guest.say('join', { workshopId })).toMatchObject({ ok: true });
  return guests;
}

const chat = (guest: Guest, workshopId: number, times: number): Promise<Json[]> =>
  Promise.all(Array.from({ length: times }, (_, n) => guest.say('chat', { workshopId, message: `${n}` })));

const limited = { ok: false, error: { code: 'rate_limited', retryable: true } };
const count = async (name: string): Promise<number> => {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  return Number(
    text
      .split('\n')
      .find((line) => line.startsWith(name))
      ?.split(' ')[1] ?? 0,
  );
};

describe('a flood', () => {
  it('[M9] of one user is refused past their allowance, and slows down nobody else', async () => {
    const workshopId = await liveWorkshop(server, [2, 3]);
    const [flooder, other] = (await joined(workshopId, 2, 3)) as [Guest, Guest];
    const took: number[] = [];
    const replies: Json[] = [];
    const until = performance.now() + 4_000;
    const flood = async () => {
      while (performance.now() < until) {
        void flooder.say('chat', { workshopId, message: 'buy' }).then((reply) => replies.push(reply));
        await sleep(20);
      }
    };
    const talk = async () => {
      while (performance.now() < until) {
        const asked = performance.now();
        expect(await other.say('chat', { workshopId, message: 'hello' })).toMatchObject({ ok: true });
        took.push(performance.now() - asked);
        await sleep(200);
      }
    };
    await Promise.all([flood(), talk()]);
    await sleep(200);
    expect(replies.length).toBeGreaterThan(chats);
    expect(replies.filter(({ ok }) => ok)).toHaveLength(chats);
    const refused = replies.filter(({ ok }) => !ok);
    for (const reply of refused) expect(reply).toMatchObject(limited);
    expect(refused[0].error.retryAfterMs).toBeGreaterThan(1_000);
    expect(refused[0].error.retryAfterMs).toBeLessThanOrEqual(10_000);
    took.sort((a, b) => a - b);
    expect(took[Math.floor(took.length / 2)]).toBeLessThan(250);
    expect(await count('workshop_rate_limited_total{kind="chat",layer="user"}')).toBe(refused.length);
  });

  it('[M10] holds up neither leaving, nor lowering a hand, nor moderating', async () => {
    const workshopId = await liveWorkshop(server, [4, 5]);
    const [four, host] = (await joined(workshopId, 4, 1)) as [Guest, Guest];
    await four.say('raise-hand', { workshopId });
    for (const guest of [four, host])
      expect((await chat(guest, workshopId, chats + 1)).at(-1)).toMatchObject(limited);
    const muting = Array.from({ length: 200 }, () => host.say('mute-user', { workshopId, targetUserId: 4 }));
    for (const reply of await Promise.all(muting)) expect(reply).toMatchObject({ ok: true, changed: true });
    const moderating = [
      await host.say('approve-speaker', { workshopId, targetUserId: 4 }),
      await host.say('revoke-speaker', { workshopId, targetUserId: 4 }),
      await host.say('promote-cohost', { workshopId, targetUserId: 5 }),
      await host.say('demote-cohost', { workshopId, targetUserId: 5 }),
      await host.say('remove-user', { workshopId, targetUserId: 5 }),
      await host.say('readmit-user', { workshopId, targetUserId: 5 }),
      await host.say('delete-chat', { workshopId, messageId: host.all('chat-message')[0].id }),
    ];
    for (const reply of moderating) expect(reply).toMatchObject({ ok: true, changed: true });
    expect(await four.say('lower-hand', { workshopId })).toMatchObject({ ok: true });
    expect(await four.say('leave', { workshopId })).toMatchObject({ ok: true, changed: true });
  });

  it('[M10] of moderating is held up, on all sockets of its user together, and moderates again soon', async () => {
    const workshopId = await liveWorkshop(server, [30]);
    const hosts = (await joined(workshopId, 1, 1, 1)) as [Guest, Guest, Guest];
    const { points = 0, seconds = 0 } = allowancesOf('moderate').user ?? {};
    // What the tests before this one have used of it is given back by then.
    await until(async () => (await hosts[0].say('mute-user', { workshopId, targetUserId: 30 })).ok === true, {
      what: 'the host to moderate',
      timeout: seconds * 1_000,
    });
    const replies: Json[] = [];
    // In waves: each rests on the one before, and would wait for longer than a command may if all came at once.
    while (replies.length < points + 200) {
      const wave = Array.from({ length: 100 }, (_, n) =>
        (hosts[n % 3] as Guest).say('mute-user', { workshopId, targetUserId: 30 }),
      );
      replies.push(...(await Promise.all(wave)));
    }
    const refused = replies.filter(({ ok }) => !ok);
    expect(refused.length).toBeGreaterThanOrEqual(200);
    for (const reply of refused) expect(reply).toMatchObject(limited);
    const [first] = refused;
    expect(first.error.retryAfterMs).toBeLessThanOrEqual(seconds * 1_000);
    expect(await hosts[0].say('leave', { workshopId })).toMatchObject({ ok: true });
  }, 40_000);

  it('[M11] is refused before anything of it is read, also what was done before under the same id', async () => {
    const workshopId = await liveWorkshop(server, [6]);
    const [six] = (await joined(workshopId, 6)) as [Guest];
    const done = { workshopId, message: 'once', commandId: '0d7ab3c8-9b34-4a37-8b52-0a6b1c6f1d11' };
    expect(await six.say('chat', done)).toMatchObject({ ok: true });
    await chat(six, workshopId, chats - 1);
    expect(await six.say('chat', done)).toMatchObject(limited);
    expect(await six.ask('workshop:chat', { workshopId, message: 7 })).toMatchObject(limited);
    expect(await six.ask('workshop:chat')).toMatchObject(limited);
    six.socket.emit('workshop:chat', { workshopId, message: 'and no acknowledgement' });
    expect(await six.hears('error')).toMatchObject({ command: 'chat', ...limited.error });
  });

  it('[M12] that goes on although it is refused is disconnected', async () => {
    const workshopId = await liveWorkshop(server, [7]);
    const raw = await rawClient(server.url, { auth: { token: await token({ id: 7 }) } });
    await raw.ask('workshop:join', { workshopId });
    const strikes = allowancesOf('refusal').socket?.points ?? 0;
    // Slowly enough for the limit on messages.
    for (let n = 0; n < strikes + chats + 10 && !raw.isClosed(); n++) {
      raw.emit('workshop:remove-user', { workshopId, targetUserId: 1 });
      if (n % 100 === 99) await sleep(550);
    }
    await until(() => raw.isClosed(), { what: 'the socket to be closed' });
    expect(received(raw, 'workshop:error').at(-1)).toMatchObject({ code: 'rate_limited', retryable: true });
    expect(received(raw, 'workshop:error').at(-1)).not.toHaveProperty('command');
  }, 40_000);

  it('[M12] of messages of any kind is cut off', async () => {
    const raw = await rawClient(server.url, { auth: { token: await token({ id: 8 }) } });
    const messages = allowancesOf('message').socket?.points ?? 0;
    for (let n = 0; n < messages + 10; n++) raw.send(`42/workshop,["workshop:lower-hand",{}]`);
    await until(() => raw.isClosed(), { what: 'the socket to be closed' });
    expect(received(raw, 'workshop:error').at(-1)).toMatchObject({ code: 'rate_limited' });
    expect(received(raw, 'workshop:error').at(-1).retryAfterMs).toBeGreaterThan(0);
  });
});

it('[M16] what is never held up takes its turn among what is asked first', async () => {
  const workshopId = await liveWorkshop(server, [20]);
  const [guest] = (await joined(workshopId, 20)) as [Guest];
  for (let round = 0; round < 3; round++) {
    const replies = await Promise.all([
      guest.say('chat', { workshopId, message: 'before' }),
      guest.say('raise-hand', { workshopId }),
      guest.say('lower-hand', { workshopId }),
      guest.say('chat', { workshopId, message: 'between' }),
      guest.say('leave', { workshopId }),
      guest.say('join', { workshopId }),
      guest.say('chat', { workshopId, message: 'after' }),
    ]);
    const versions = replies.map((reply) => (reply.ok ? reply.version : 0));
    const first = versions[0] ?? 0;
    expect(versions).toEqual([0, 1, 2, 3, 4, 5, 6].map((n) => first + n));
  }
});

describe('honest use', () => {
  it('[M13] of a class behind one address trips over nothing', async () => {
    const people = Array.from({ length: 150 }, (_, n) => 1_000 + n);
    const workshopId = await liveWorkshop(server, people);
    const raws = await Promise.all(
      people.map(async (id) => rawClient(server.url, { auth: { token: await token({ id }) }, keeps: false })),
    );
    const ask = (raw: RawClient, name: string, payload: object = {}) =>
      raw.ask(`workshop:${name}`, { workshopId, ...payload });
    const joins = await Promise.all(raws.map((raw) => ask(raw, 'join', { batch: true })));
    expect(joins.filter(({ ok }) => !ok)).toEqual([]);
    for (let round = 0; round < 10; round++) {
      const said = await Promise.all(raws.map((raw) => ask(raw, 'chat', { message: 'hello' })));
      expect(said.filter(({ ok }) => !ok)).toEqual([]);
    }
    for (const raw of raws) raw.close();
  }, 40_000);

  it('[M13] of someone who comes back with five tabs, again and again, neither', async () => {
    const workshopId = await liveWorkshop(server, [9]);
    for (let round = 0; round < 10; round++) {
      const tabs = await Promise.all([1, 2, 3, 4, 5].map(() => server.connect(9)));
      const replies = await Promise.all(tabs.map((tab) => tab.say('join', { workshopId, batch: true })));
      expect(replies.filter(({ ok }) => !ok)).toEqual([]);
      for (const tab of tabs) tab.close();
    }
  });
});

describe('a handshake', () => {
  /** `connected`, or what refused it. */
  async function connecting(
    to: TestServer,
    id: number | null,
    headers: Record<string, string> = {},
  ): Promise<Json> {
    const auth = id === null ? {} : { token: await token({ id }) };
    try {
      (await rawClient(to.url, { auth, headers })).close();
      return 'connected';
    } catch (error) {
      return JSON.parse((error as Error).message);
    }
  }

  it('[M14] over the limit is refused with rate_limited, and with when to come back', async () => {
    const strict = await started({ RATE_LIMIT_SCALE: '0.01' });
    for (const _ of [1, 2]) expect(await connecting(strict, 2)).toBe('connected');
    const refused = await connecting(strict, 2);
    expect(refused).toMatchObject({ message: 'rate_limited', data: limited.error });
    expect(refused.data.retryAfterMs).toBeGreaterThan(1_000);
    expect(await connecting(strict, 3)).toBe('connected');
    const guest = guestOn(strict.url, 2, { token: await token({ id: 2 }) });
    const error = await new Promise<Json>((resolve) => guest.socket.on('connect_error', resolve));
    expect([error.message, error.data.retryAfterMs > 0]).toEqual(['rate_limited', true]);
    guest.close();
  });

  it('[M24] beyond the sockets that a user has at once is refused, and one that closes makes room', async () => {
    const strict = await started({ RATE_LIMIT_SCALE: '0.15' });
    const auth = { token: await token({ id: 40 }) };
    const open: RawClient[] = [];
    for (let n = 0; n < socketsOfUser.least; n++)
      open.push(await rawClient(strict.url, { auth, keeps: false }));
    expect(await connecting(strict, 40)).toMatchObject({
      message: 'rate_limited',
      data: { ...limited.error, message: expect.stringContaining('too many connections') },
    });
    expect(await connecting(strict, 41)).toBe('connected');
    open.pop()?.close();
    await until(async () => (await connecting(strict, 40)) === 'connected', { what: 'a place' });
    expect(open.filter((raw) => raw.isClosed())).toEqual([]);
    for (const raw of open) raw.close();
  });

  it('[M15] without a valid token is told so, until its address is told nothing more', async () => {
    const strict = await started({ RATE_LIMIT_SCALE: '0.01' });
    const answers: string[] = [];
    for (let n = 0; n < 12; n++) answers.push((await connecting(strict, null)).message);
    expect(answers).toEqual([
      ...new Array<string>(10).fill('unauthenticated'),
      ...['rate_limited', 'rate_limited'],
    ]);
    expect(await connecting(strict, 4)).toBe('connected');
  });

  it('[M8] counts for the address of the connection, whatever it says of another', async () => {
    const strict = await started({ RATE_LIMIT_SCALE: '0.001' });
    const answers: Json[] = [];
    for (let n = 0; n < 5; n++)
      answers.push(await connecting(strict, 100 + n, { 'x-forwarded-for': `203.0.113.${n}` }));
    expect(answers.slice(0, 3)).toEqual(['connected', 'connected', 'connected']);
    expect(answers[3]).toMatchObject({ message: 'rate_limited' });
  });

  it('[M8] counts for the address that a trusted proxy names', async () => {
    const proxied = await started({ RATE_LIMIT_SCALE: '0.001', TRUST_PROXY: 'loopback' });
    for (let n = 0; n < 5; n++)
      expect(await connecting(proxied, 200 + n, { 'x-forwarded-for': `spoof, 203.0.113.${n}` })).toBe(
        'connected',
      );
    for (let n = 0; n < 2; n++)
      expect(await connecting(proxied, 210 + n, { 'x-forwarded-for': '203.0.113.1' })).toBe('connected');
    expect(await connecting(proxied, 220, { 'x-forwarded-for': '203.0.113.1' })).toMatchObject({
      message: 'rate_limited',
    });
  });
});

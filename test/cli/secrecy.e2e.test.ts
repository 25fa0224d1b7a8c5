/** What a real process writes while people with hostile names use it, and how it takes what nobody expected. */
import { io } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rawSocket } from '../kit/rawSocket.ts';
import { clusterSettings, guestOn, type Json, token } from '../kit/server.ts';
import { type Serving, serving } from '../kit/serving.ts';
import { until } from '../kit/until.ts';

const names = ['Quentin"\t{"level":60,"msg":"forged"}', 'Mallory%s%j%o', '{{7*7}} Wanda </script>'];
const bodies = [
  'a very private message',
  '\n{"level":60,"msg":"forged too"}\n',
  'card 4111 1111 1111 1111 \u2028 end',
];
const title = 'A secret plan "\\n{"level":60}';

/** A module that a process can be told to load first. */
const script = (text: string) => `data:text/javascript;base64,${Buffer.from(text).toString('base64')}`;

describe('the log', () => {
  let server: Serving;
  const tokens: string[] = [];

  const signed = async (id: number, name: string, expiresIn?: number) => {
    const made = await token({ id, name, ...(expiresIn !== undefined && { expiresIn }) });
    tokens.push(made);
    return made;
  };

  beforeAll(async () => {
    server = await serving({ LOG_LEVEL: 'trace' });
    const ask = async (as: string, method: string, path: string, body?: unknown): Promise<Json> => {
      const answer = await fetch(server.url + path, {
        method,
        headers: {
          authorization: `Bearer ${as}`,
          cookie: `workshop_token=${as}`,
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      return answer.json().catch(() => undefined);
    };
    const people = await Promise.all(names.map((name, index) => signed(index + 1, name)));
    const [host = ''] = people;
    const { id: workshopId } = await ask(host, 'POST', '/api/workshops', {
      ...{ title, description: bodies[0], scheduledAt: new Date().toISOString() },
    });
    for (const person of people) await ask(person, 'POST', `/api/workshops/${workshopId}/rsvp`);
    await ask(host, 'POST', `/api/workshops/${workshopId}/start`);
    const guests = people.map((as, index) => guestOn(server.url, index + 1, { token: as }));
    for (const guest of guests) {
      await until(() => guest.socket.connected, { what: 'someone to be connected' });
      await guest.say('join', { workshopId });
      for (const message of bodies)
        expect(await guest.say('chat', { workshopId, message })).toMatchObject({ ok: true });
    }
    await guests[0]?.say('remove-user', { workshopId, targetUserId: 3, reason: bodies[0] ?? '' });
    await ask(host, 'DELETE', `/api/workshops/${workshopId}/chat/${(await guests[0]?.state())?.version}`);
    // What is refused: tokens that have run out, broken bodies, tokens in addresses, payloads of any kind.
    const expired = await signed(4, names[0] ?? '', -60);
    await ask(expired, 'GET', '/api/workshops');
    await ask(host, 'POST', '/api/workshops', `{"title": "${bodies[0]}`);
    await ask(host, 'GET', `/api/workshops?token=${expired}&cursor=${encodeURIComponent(bodies[1] ?? '')}`);
    await ask(host, 'GET', `/nowhere/${encodeURIComponent(bodies[0] ?? '')}`);
    await ask(host, 'POST', '/api/guest', { displayName: names[2] });
    await guests[1]?.ask('workshop:chat', { workshopId, message: 7, more: bodies[0] });
    await guests[1]?.ask(bodies[0] ?? '', { workshopId });
    await guests[1]?.ask('workshop:authenticate', { token: expired });
    const refused = io(`${server.url}/workshop`, {
      ...{ auth: { token: expired }, transports: ['websocket'], forceNew: true, reconnection: false },
    });
    await new Promise((resolve) => refused.on('connect_error', resolve));
    for (const guest of guests) guest.close();
    await ask(host, 'POST', `/api/workshops/${workshopId}/end`);
  }, 60_000);
  afterAll(() => server.close());

  it('[S19] is one JSON object to a line, whatever people are called and say', () => {
    const lines = server.logged();
    expect(lines.length).toBeGreaterThan(10);
    for (const line of lines)
      expect(Object.keys(line)).toEqual(expect.arrayContaining(['level', 'time', 'msg']));
    expect(lines.filter(({ level }) => level >= 50)).toEqual([]);
  });

  it('[S19] holds no token, no name, no title and nothing that was said', () => {
    const text = server.process.output();
    for (const each of tokens) {
      expect(text).not.toContain(each);
      expect(text).not.toContain(each.split('.')[2]);
    }
    for (const word of ['Quentin', 'Mallory', 'Wanda', 'private', 'forged', '4111', 'secret plan'])
      expect(text).not.toContain(word);
  });
});

describe('a process', () => {
  it('[S22] goes on after a promise that failed with nobody waiting, and tells of it', {
    timeout: 120_000,
  }, async () => {
    const failing = script("process.on('SIGUSR2', () => void Promise.reject(new Error('unforeseen')))");
    const server = await serving({ ...(await clusterSettings()), NODE_OPTIONS: `--import ${failing}` });
    try {
      server.process.signal('SIGUSR2');
      await server.process.waitFor(/unforeseen/);
      expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
      const [told] = server.logged().filter(({ level }) => level >= 50);
      expect(told).toMatchObject({
        err: { message: 'unforeseen' },
        msg: expect.stringContaining('nobody waited'),
      });
    } finally {
      await server.close();
    }
  });

  it('[S22] ends with one line after what was thrown out of a callback', { timeout: 120_000 }, async () => {
    const failing = script("process.on('SIGUSR2', () => { throw new Error('unforeseen'); })");
    const server = await serving({ ...(await clusterSettings()), NODE_OPTIONS: `--import ${failing}` });
    try {
      server.process.signal('SIGUSR2');
      expect((await server.process.ended).code).toBe(1);
      expect(server.logged().filter(({ level }) => level === 60)).toMatchObject([
        { err: { message: 'unforeseen' } },
      ]);
    } finally {
      await server.close();
    }
  });
});

it('[S5] nothing is done for a token that ended while the process could not look', {
  timeout: 120_000,
}, async () => {
  const server = await serving(await clusterSettings());
  try {
    const plan = { title: 'Sourdough', scheduledAt: new Date().toISOString() };
    const { id: workshopId } = (await server.rest(5, 'POST', '/api/workshops', plan)).body;
    await server.rest(5, 'POST', `/api/workshops/${workshopId}/start`);
    const ends = Math.floor(Date.now() / 1_000) + 3;
    const late = await rawSocket(server.url, await token({ id: 5, expiresIn: 3 }));
    late.send(`42/workshop,1["workshop:join",{"workshopId":${workshopId}}]`);
    await until(() => late.heard.some((frame) => frame.startsWith('43/workshop,1')), { what: 'the join' });
    // Frozen over the end of the token, the process finds the command before it finds the time.
    await until(() => Date.now() > ends * 1_000 - 300, { what: 'the end to be near' });
    server.process.signal('SIGSTOP');
    late.send(`42/workshop,2["workshop:raise-hand",{"workshopId":${workshopId}}]`);
    late.send(`42/workshop,3["workshop:authenticate",{"token":"${await token({ id: 5 })}"}]`);
    await until(() => Date.now() > ends * 1_000 + 1_200, { what: 'the end to be over' });
    server.process.signal('SIGCONT');
    await late.closed();
    for (const id of [2, 3]) {
      const answer = late.heard.find((frame) => frame.startsWith(`43/workshop,${id}`));
      if (answer !== undefined) expect(answer).toContain('token_expired');
    }
    expect(
      late.heard.some((frame) => frame.includes('workshop:error') && frame.includes('token_expired')),
    ).toBe(true);
    const { body } = await server.rest(5, 'GET', `/api/workshops/${workshopId}/events`);
    expect(body.items.map(({ type }: Json) => type)).not.toContain('hand-raised');
  } finally {
    await server.close();
  }
});

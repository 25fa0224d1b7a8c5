import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Reply } from '../../src/protocol/wire.ts';
import { clusterSettings, type Guest, liveWorkshop, type TestServer, testServer } from '../kit/server.ts';
import { until } from '../kit/until.ts';

/** One embedded node, and one of two nodes on Redis and Postgres; everything here holds on both. */
describe.each(['embedded', 'two nodes on Redis'])('a room, %s', (kind) => {
  let servers: TestServer[];
  const here = () => servers[0] as TestServer;
  const there = () => servers.at(-1) as TestServer;

  beforeAll(async () => {
    if (kind === 'embedded') servers = [await testServer()];
    else {
      const settings = await clusterSettings();
      servers = [await testServer(settings), await testServer(settings)];
    }
  });
  afterAll(async () => {
    for (const server of servers) await server.close();
  });

  async function join(
    server: TestServer,
    user: number,
    workshopId: number,
    more: object = {},
  ): Promise<Guest> {
    const guest = await server.connect(user);
    expect(await guest.say('join', { workshopId, ...more })).toMatchObject({ ok: true });
    await guest.state();
    return guest;
  }

  it('[D1] sends the state after the acknowledgement, with one’s own joining in it, and then every event', async () => {
    const workshopId = await liveWorkshop(here(), [2, 3]);
    const host = await join(here(), 1, workshopId);
    const two = await here().connect(2);
    const order: string[] = [];
    two.socket.onAny((name) => order.push(name));
    const reply = await new Promise<Reply>((resolve) =>
      two.socket.emit('workshop:join', { workshopId }, (given: Reply) => {
        order.push('acknowledged');
        resolve(given);
      }),
    );
    const state = await two.state();
    expect(order.slice(0, 2)).toEqual(['acknowledged', 'workshop:state']);
    if (!reply.ok) throw new Error('the join was refused');
    expect(reply).toMatchObject({ changed: true, resumed: false, epoch: state.epoch });
    expect(state.version).toBeGreaterThanOrEqual(reply.version);
    expect(state.attendees.map(({ userId }) => userId)).toEqual([1, 2]);
    await two.say('chat', { workshopId, message: ' hello ' });
    const heard = await host.hears('chat-message');
    expect(heard).toMatchObject({ workshopId, userId: 2, message: 'hello', id: heard.version });
    expect(heard.createdAt).toBe(heard.at);
    expect(await two.hears('chat-message')).toEqual(heard);
  });

  it('[D1] gives a socket that joins once more the state anew, and every event after it once', async () => {
    const people = [40, 41, 42, 43, 44];
    const workshopId = await liveWorkshop(here(), people);
    const [again, ...others] = (await Promise.all(
      people.map((user, n) => join(n % 2 ? there() : here(), user, workshopId)),
    )) as [Guest, ...Guest[]];
    const talk = others.flatMap((other) =>
      Array.from({ length: 8 }, (_, n) => other.say('chat', { workshopId, message: `${n}` })),
    );
    for (let round = 0; round < 3; round++)
      expect(await again.say('join', { workshopId })).toMatchObject({ ok: true, changed: false });
    const versions = (await Promise.all(talk)).map((reply) => (reply.ok ? reply.version : 0));
    const to = Math.max(...versions);
    const reached = () => Math.max(again.all('state')[3]?.version ?? 0, eventsOf(again).at(-1)?.version ?? 0);
    await until(() => again.all('state').length === 4 && reached() === to, { what: 'the last of it' });
    const newest = again.heard.findLastIndex(({ name }) => name === 'workshop:state');
    const from = again.heard[newest]?.payload.version + 1;
    const after = eventsOf({ ...again, heard: again.heard.slice(newest) }).map(({ version }) => version);
    expect(after).toEqual(Array.from({ length: to - from + 1 }, (_, n) => from + n));
  });

  it('[D2] shows everyone on every node the same events in the same order, none missing and none twice', async () => {
    const people = Array.from({ length: 10 }, (_, n) => 10 + n);
    const workshopId = await liveWorkshop(here(), people);
    const guests = await Promise.all(
      people.map((user, n) => join(n % 2 ? here() : there(), user, workshopId, { batch: n % 3 === 0 })),
    );
    await Promise.all(
      guests.flatMap((guest, n) => [
        guest.say('raise-hand', { workshopId }),
        ...Array.from({ length: 10 }, (_, k) => guest.say('chat', { workshopId, message: `${n}.${k}` })),
        guest.say('lower-hand', { workshopId }),
      ]),
    );
    const history = (await here().rest(1, 'GET', `/api/workshops/${workshopId}/events?limit=1000`)).body
      .items;
    const last = history.at(-1).version;
    for (const guest of guests) {
      const state = await guest.state();
      await until(() => eventsOf(guest).at(-1)?.version === last, {
        what: `user ${guest.id} to hear everything`,
      });
      const versions = eventsOf(guest).map(({ version }) => version);
      expect(versions).toEqual(Array.from({ length: last - state.version }, (_, n) => state.version + 1 + n));
    }
    const tails = guests.map((guest) => eventsOf(guest).slice(-100));
    for (const tail of tails) expect(tail).toEqual(tails[0]);
  });

  it('[D3] without a roster leaves out the coming and going of others and tells how many are there', async () => {
    const workshopId = await liveWorkshop(here(), [2, 3]);
    const lean = await join(here(), 2, workshopId, { batch: true, roster: false });
    const three = await join(there(), 3, workshopId);
    await three.say('chat', { workshopId, message: 'hi' });
    await three.say('leave', { workshopId });
    await until(() => lean.all('events').some(({ attendeeCount }) => attendeeCount === 1), {
      what: 'the count to fall',
    });
    const frames = lean.all('events');
    expect(frames.flatMap(({ events }) => events).map(({ type }: { type: string }) => type)).toEqual([
      'chat-message',
    ]);
    for (const [index, frame] of frames.entries())
      expect(frame.from).toBe(index === 0 ? (await lean.state()).version + 1 : frames[index - 1].to + 1);
  });

  it('[D4] resumes after what a client has, on another node too, or says that it does not', async () => {
    const workshopId = await liveWorkshop(here(), [2, 3]);
    const two = await join(here(), 2, workshopId);
    const three = await join(there(), 3, workshopId);
    const { epoch } = await two.state();
    await three.say('chat', { workshopId, message: 'one' });
    const { version } = await two.hears('chat-message');
    two.close();
    await three.say('chat', { workshopId, message: 'two' });
    const again = await there().connect(2);
    const reply = await again.say('join', { workshopId, after: { version, epoch } });
    expect(reply).toMatchObject({ ok: true, resumed: true });
    const missed = await again.hears('chat-message');
    expect(missed.message).toBe('two');
    expect(again.all('state')).toEqual([]);
    const other = await here().connect(2);
    expect(await other.say('join', { workshopId, after: { version, epoch: 'another' } })).toMatchObject({
      resumed: false,
    });
    await other.state();
  });

  it('[P1] counts a user with several sockets once, until the last of them is gone', async () => {
    const workshopId = await liveWorkshop(here(), [2]);
    const host = await join(here(), 1, workshopId);
    const phone = await join(here(), 2, workshopId);
    const laptop = await join(there(), 2, workshopId);
    expect((await laptop.state()).attendeeCount).toBe(2);
    expect(await phone.say('leave', { workshopId })).toMatchObject({ ok: true, changed: false });
    expect(await laptop.say('chat', { workshopId, message: 'still here' })).toMatchObject({ ok: true });
    expect(await phone.say('leave', { workshopId })).toMatchObject({
      ok: false,
      error: { code: 'not_joined' },
    });
    expect(await laptop.say('leave', { workshopId })).toMatchObject({ ok: true, changed: true });
    expect(await host.hears('user-left')).toMatchObject({ userId: 2, reason: 'left' });
    expect(host.all('user-joined')).toHaveLength(1);
  });

  it('[P2] keeps who drops for a grace period, with hand and role, and then records that they are gone', async () => {
    const workshopId = await liveWorkshop(here(), [2]);
    const host = await join(here(), 1, workshopId);
    const two = await join(here(), 2, workshopId);
    await two.say('raise-hand', { workshopId });
    two.close();
    const back = await join(there(), 2, workshopId);
    expect((await back.state()).raisedHands).toEqual([2]);
    back.close();
    const left = await host.hears('user-left');
    expect(left).toMatchObject({ userId: 2, reason: 'disconnected' });
    expect(host.all('user-left')).toHaveLength(1);
  });

  it('[P3] takes someone who is removed out on every node, and lets nobody in again before readmission', async () => {
    const workshopId = await liveWorkshop(here(), [2]);
    const host = await join(here(), 1, workshopId);
    const phone = await join(here(), 2, workshopId);
    const laptop = await join(there(), 2, workshopId);
    await host.say('remove-user', { workshopId, targetUserId: 2, reason: 'noise' });
    for (const device of [phone, laptop]) {
      expect(await device.hears('user-removed')).toMatchObject({ userId: 2, by: 1, reason: 'noise' });
      expect(await device.say('chat', { workshopId, message: 'x' })).toMatchObject({
        error: { code: 'removed' },
      });
      expect(await device.say('join', { workshopId })).toMatchObject({ error: { code: 'removed' } });
    }
    await host.say('chat', { workshopId, message: 'quiet now' });
    await host.hears('chat-message');
    expect([...phone.all('chat-message'), ...laptop.all('chat-message')]).toEqual([]);
    expect(await host.say('readmit-user', { workshopId, targetUserId: 2 })).toMatchObject({
      ok: true,
      changed: true,
    });
    expect(await phone.say('join', { workshopId })).toMatchObject({ ok: true, changed: true });
    phone.close();
    // What the laptop held when it was removed holds nobody back: the leaving is recorded.
    await host.hears('user-left', ({ userId }) => userId === 2);
  });

  it('[P4] ends for everyone when the workshop ends', async () => {
    const workshopId = await liveWorkshop(here(), [2]);
    const two = await join(there(), 2, workshopId);
    await here().rest(1, 'POST', `/api/workshops/${workshopId}/end`);
    expect(await two.hears('state-changed')).toMatchObject({ status: 'ended' });
    expect(await two.say('chat', { workshopId, message: 'x' })).toMatchObject({
      error: { code: 'invalid_state' },
    });
    expect(await two.say('leave', { workshopId })).toMatchObject({ error: { code: 'not_joined' } });
  });

  it('[D5] lists attendees page by page, in step with the events', async () => {
    const workshopId = await liveWorkshop(here(), [2]);
    const two = await join(here(), 2, workshopId);
    const page = await two.ask('workshop:attendees', { workshopId });
    expect(page).toMatchObject({ ok: true, nextCursor: null, version: (await two.state()).version });
    expect(page.items.map(({ userId }: { userId: number }) => userId)).toEqual([2]);
    expect(await two.ask('workshop:attendees', { workshopId, cursor: 'x' })).toMatchObject({
      error: { code: 'invalid_payload' },
    });
    const outside = await here().connect(1);
    expect(await outside.ask('workshop:attendees', { workshopId })).toMatchObject({
      error: { code: 'not_joined' },
    });
  });
});

interface Heard {
  version: number;
  type: string;
}

/** The events that a socket got, in whatever form, as one list. */
function eventsOf(guest: Guest): Heard[] {
  return guest.heard.flatMap(({ name, payload }) => {
    if (name === 'workshop:events') return payload.events as Heard[];
    if (name === 'workshop:state' || payload?.version === undefined) return [];
    const { workshopId: _, ...rest } = payload;
    return [{ type: name.slice('workshop:'.length), ...rest } as Heard];
  });
}

/**
 * Who is present while nodes die, freeze and come back: real processes on one Redis and one Postgres, two for each test. The
 * tests wait for leases and times of grace, and do so beside each other.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type NodeProcess, startNode } from '../kit/nodeProcess.ts';
import {
  clusterSettings,
  type Guest,
  guestOn,
  type Json,
  liveWorkshop,
  restAt,
  token,
} from '../kit/server.ts';
import { until } from '../kit/until.ts';

/** Longer than a busy machine lets a process wait for its turn: a node is to lose its lease where a test takes it, and not else. */
const leaseMs = 5_000;
const graceMs = 6_000;

interface Pair {
  one: NodeProcess;
  two: NodeProcess;
  /** Someone in the room over that node. */
  enter(node: NodeProcess, id: number, workshopId: number): Promise<Guest>;
  /** Someone who is connected to that node. */
  connect(node: NodeProcess, id: number): Promise<Guest>;
  workshop(): Promise<number>;
  close(): Promise<void>;
}

const pairs: Pair[] = [];

// All of them before the first test: starting takes the machine, and leases count.
beforeAll(async () => {
  while (pairs.length < 4) pairs.push(await pair());
}, 180_000);
afterAll(async () => {
  await Promise.all(pairs.map((each) => each.close()));
}, 60_000);

async function pair(): Promise<Pair> {
  const settings = {
    ...(await clusterSettings()),
    ...{ PRESENCE_LEASE_MS: String(leaseMs), PRESENCE_GRACE_MS: String(graceMs), DRAIN_MS: '0' },
  };
  const [one, two] = await Promise.all([startNode(settings), startNode(settings)]);
  const guests: Guest[] = [];
  const connect: Pair['connect'] = async (node, id) => {
    const guest = guestOn(node.url, id, { token: await token({ id }) });
    guests.push(guest);
    await until(() => guest.socket.connected, { what: `user ${id} to be connected` });
    return guest;
  };
  return {
    ...{ one, two, connect },
    async enter(node, id, workshopId) {
      const guest = await connect(node, id);
      expect(await guest.say('join', { workshopId })).toMatchObject({ ok: true });
      await guest.state();
      return guest;
    },
    workshop: () => liveWorkshop({ rest: restAt(one.url) }, [2, 3, 4]),
    async close() {
      for (const guest of guests) guest.close();
      for (const node of [one, two]) await node.stop({ within: 15_000 });
    },
  };
}

function next(): Pair {
  const free = pairs[taken++];
  if (free === undefined) throw new Error('there is a test more than there are pairs of nodes');
  return free;
}
let taken = 0;

async function comings(node: NodeProcess, workshopId: number, userId: number): Promise<string[]> {
  const path = `/api/workshops/${workshopId}/events?limit=1000&userId=${userId}`;
  const { body } = await restAt(node.url)(1, 'GET', path);
  const types = body.items.map(({ type }: Json) => type as string);
  return types.filter((type: string) => /^user-(joined|left)$/.test(type));
}

describe.concurrent('someone', () => {
  it('[Q7] who is back on another node and leaves there has left at once, although the first one still waits', {
    timeout: 60_000,
  }, async () => {
    const { one, two, enter, workshop } = next();
    const workshopId = await workshop();
    const host = await enter(two, 1, workshopId);
    const phone = await enter(one, 2, workshopId);
    phone.close();
    await sleep(300);
    const laptop = await enter(two, 2, workshopId);
    expect(await laptop.say('leave', { workshopId })).toMatchObject({ ok: true, changed: true });
    expect(await host.hears('user-left')).toMatchObject({ userId: 2, reason: 'left' });
    // The first node's time of grace has run out then, and has nothing more to say.
    await sleep(graceMs + 1_000);
    expect(await comings(two, workshopId, 2)).toEqual(['user-joined', 'user-left']);
  });

  it('[Q8] on two nodes stays, with hand and role, when one of them is killed', {
    timeout: 60_000,
  }, async () => {
    const { one, two, enter, workshop } = next();
    const workshopId = await workshop();
    const host = await enter(two, 1, workshopId);
    const phone = await enter(one, 2, workshopId);
    await enter(two, 2, workshopId);
    await enter(one, 3, workshopId);
    await phone.say('raise-hand', { workshopId });
    await host.say('promote-cohost', { workshopId, targetUserId: 2 });
    one.signal('SIGKILL');
    const killed = performance.now();
    const left = await until(() => host.all('user-left')[0], { what: 'user 3 to be gone', timeout: 10_000 });
    expect(left).toMatchObject({ userId: 3, reason: 'disconnected' });
    expect(performance.now() - killed).toBeLessThan(leaseMs + 2_000);
    await sleep(leaseMs);
    expect(await comings(two, workshopId, 2)).toEqual(['user-joined']);
    const later = await enter(two, 4, workshopId);
    const state = await later.state();
    expect(state.raisedHands).toEqual([2]);
    expect(state.attendees.find(({ userId }) => userId === 2)).toMatchObject({ isCoHost: true });
    expect(host.all('user-left')).toHaveLength(1);
  });

  it('[Q9] who dropped from a node that is then killed within their grace is no ghost', {
    timeout: 60_000,
  }, async () => {
    const { one, two, enter, workshop } = next();
    const workshopId = await workshop();
    const host = await enter(two, 1, workshopId);
    const phone = await enter(one, 2, workshopId);
    phone.close();
    await sleep(300);
    one.signal('SIGKILL');
    await until(() => host.all('user-left').length === 1, { what: 'user 2 to be gone', timeout: 10_000 });
    expect(await comings(two, workshopId, 2)).toEqual(['user-joined', 'user-left']);
  });
});

describe.concurrent('a node that was frozen for longer than its lease', () => {
  it('[Q10] lets those in again who are still connected, and decides nothing on what it knew before', {
    timeout: 90_000,
  }, async () => {
    const { one, two, enter, connect, workshop } = next();
    const workshopId = await workshop();
    const host = await enter(two, 1, workshopId);
    const member = await enter(one, 2, workshopId);
    const both = await enter(one, 3, workshopId);
    const other = await enter(two, 3, workshopId);
    await host.say('approve-speaker', { workshopId, targetUserId: 2 });
    one.signal('SIGSTOP');
    await until(() => host.all('user-left').length === 1, { what: 'user 2 to be gone', timeout: 15_000 });
    await host.say('remove-user', { workshopId, targetUserId: 4 });
    await host.say('revoke-speaker', { workshopId, targetUserId: 2 });
    one.signal('SIGCONT');
    await until(() => host.all('user-joined').filter(({ userId }) => userId === 2).length === 2, {
      what: 'user 2 to be in the room again',
      timeout: 15_000,
    });
    expect(await member.say('chat', { workshopId, message: 'I was frozen' })).toMatchObject({ ok: true });
    const removed = await connect(one, 4);
    expect(await removed.say('join', { workshopId })).toMatchObject({
      ok: false,
      error: { code: 'removed' },
    });
    const page = await member.ask('workshop:attendees', { workshopId });
    expect(page.items.find(({ userId }: Json) => userId === 2)).toMatchObject({ canSpeak: false });

    // Who was on both nodes never left, and the frozen one holds them again: the other one's word is not enough.
    await sleep(leaseMs);
    other.close();
    await sleep(graceMs + 1_500);
    expect(await comings(two, workshopId, 3)).toEqual(['user-joined']);
    expect(await both.say('chat', { workshopId, message: 'still here' })).toMatchObject({ ok: true });
    expect(await comings(two, workshopId, 2)).toEqual(['user-joined', 'user-left', 'user-joined']);
  });
});

/**
 * Nodes that are replaced one after the other while people are talking: real processes behind a load balancer. The tests wait
 * for most of their time, and do so beside each other.
 */
import { randomUUID } from 'node:crypto';
import { describe, expect, it, type TestContext } from 'vitest';
import {
  type Connection,
  type Follower,
  followerOf,
  workshopConnection,
} from '../../src/client/workshopClient.ts';
import { type Balancer, balancer } from '../kit/balancer.ts';
import { dataFolder } from '../kit/dataFolder.ts';
import { type NodeProcess, startNode } from '../kit/nodeProcess.ts';
import { clusterSettings, type Json, liveWorkshop, restAt, token } from '../kit/server.ts';
import { until } from '../kit/until.ts';

/** Short, so that whatever could make someone leave has the time to do so. */
/** Longer than a busy machine lets a process wait for its turn. */
const leaseMs = 8_000;
const presence = { PRESENCE_GRACE_MS: '4000', PRESENCE_LEASE_MS: String(leaseMs) };

/** Someone who talks all the time. */
interface Talker {
  userId: number;
  connection: Connection;
  follower: Follower;
  /** Versions seen, from the state on, in the order in which they came. */
  seen: number[];
  /** Command ids that were acknowledged. */
  said: string[];
  refused: string[];
  /** When it lost its connection, by `performance.now()`. */
  cuts: number[];
  stop(): Promise<void>;
}

async function talker(url: string, userId: number, workshopId: number): Promise<Talker> {
  const connection = workshopConnection({ url, token: await token({ id: userId }) });
  const follower = followerOf(connection.socket, workshopId);
  const talking: Talker = {
    ...{ userId, connection, follower, seen: [], said: [], refused: [], cuts: [] },
    async stop() {
      stopped = true;
      await talks;
    },
  };
  let stopped = false;
  let underWay = 0;
  connection.socket.on('disconnect', () => talking.cuts.push(performance.now()));
  follower.onEvent(({ version }) => talking.seen.push(version));
  connection.open();
  const joined = await follower.join();
  if (!joined.ok) throw new Error(joined.error.code);
  const view = await until(() => follower.snapshot().view, { what: 'the state' });
  if (talking.seen.length === 0) talking.seen.push(view.version);
  async function say(): Promise<void> {
    const commandId = randomUUID();
    const reply = await follower.send('chat', { message: `${userId}: ${commandId}`, commandId });
    if (reply.ok) talking.said.push(commandId);
    else talking.refused.push(reply.error.code);
  }
  const talks = (async () => {
    while (!stopped) {
      underWay++;
      void say().finally(() => underWay--);
      await new Promise((resolve) => setTimeout(resolve, 300 + Math.random() * 300));
    }
    await until(() => underWay === 0, { what: `user ${userId} to be answered`, timeout: 40_000 });
  })();
  return talking;
}

async function historyOf(url: string, workshopId: number): Promise<Json[]> {
  const events: Json[] = [];
  for (;;) {
    const after = events.at(-1)?.version ?? 0;
    const path = `/api/workshops/${workshopId}/events?limit=1000&after=${after}`;
    const { body } = await restAt(url)(1, 'GET', path);
    if (body.items.length === 0) return events;
    events.push(...body.items);
  }
}

/** Nobody left, no word is missing or there twice, and everyone saw everything. */
function expectNothingLost(history: Json[], talkers: readonly Talker[]): void {
  expect(history.filter(({ type }) => type === 'user-left')).toEqual([]);
  const counts = new Map<string, number>();
  for (const { commandId } of history) counts.set(commandId, (counts.get(commandId) ?? 0) + 1);
  for (const { said, seen } of talkers) {
    expect(said.length).toBeGreaterThan(0);
    expect(said.filter((commandId) => counts.get(commandId) !== 1)).toEqual([]);
    const [first = 0] = seen;
    const last = history.at(-1).version;
    expect(seen).toEqual(Array.from({ length: last - first + 1 }, (_, n) => first + n));
  }
}

async function settled(url: string, workshopId: number, talkers: readonly Talker[]): Promise<Json[]> {
  await Promise.all(talkers.map((each) => each.stop()));
  const history = await historyOf(url, workshopId);
  const last = history.at(-1).version;
  for (const { follower, userId } of talkers)
    await until(() => follower.snapshot().view?.version === last, { what: `user ${userId} to see it all` });
  return history;
}

interface Site {
  front: Balancer;
  serve(settings: Record<string, string>): Promise<NodeProcess>;
  /** Talkers who reach the nodes by the balancer. */
  talk(userIds: readonly number[], workshopId: number): Promise<Talker[]>;
}

/** Nodes and talkers of one test, gone with it. */
async function site(onTestFinished: TestContext['onTestFinished'], checkMs?: number): Promise<Site> {
  const front = await balancer(checkMs);
  const running: NodeProcess[] = [];
  const talking: Talker[] = [];
  onTestFinished(async () => {
    await Promise.all(talking.map(({ connection }) => connection.close()));
    for (const node of running) await node.stop({ within: 15_000 });
    await front.close();
  });
  return {
    front,
    async serve(settings) {
      const node = await startNode({ ...presence, ...settings });
      running.push(node);
      return node;
    },
    async talk(userIds, workshopId) {
      const made = await Promise.all(userIds.map((userId) => talker(front.url, userId, workshopId)));
      talking.push(...made);
      return made;
    },
  };
}

describe.concurrent('two nodes behind a load balancer', () => {
  it('[Q1] are replaced one after the other: nobody leaves, nothing is lost, each client moves once for each node it was on', {
    timeout: 180_000,
  }, async ({ onTestFinished }) => {
    const { front, serve, talk } = await site(onTestFinished);
    const settings = await clusterSettings();
    const [first, second] = await Promise.all([serve(settings), serve(settings)]);
    await front.use(first.url, second.url);
    const people = Array.from({ length: 44 }, (_, n) => 10 + n);
    const workshopId = await liveWorkshop({ rest: restAt(front.url) }, people);
    const talkers = await talk(people, workshopId);

    const told = performance.now();
    first.signal('SIGTERM');
    await until(async () => (await fetch(`${first.url}/readyz`)).status === 503, { what: 'not being ready' });
    expect(performance.now() - told).toBeLessThan(2_000);
    expect(await first.ended).toEqual({ code: 0, signal: null });
    expect(performance.now() - told).toBeLessThan(18_000);

    const moved = talkers.filter(({ cuts }) => cuts.length > 0);
    expect(moved.length).toBeGreaterThanOrEqual(15);
    for (const { cuts } of moved) expect(cuts).toHaveLength(1);
    const moments = moved.flatMap(({ cuts }) => cuts).sort((a, b) => a - b);
    expect((moments.at(-1) ?? 0) - (moments[0] ?? 0)).toBeGreaterThan(4_000);
    const crowd = Math.max(...moments.map((at) => moments.filter((m) => m >= at && m < at + 1_000).length));
    expect(crowd).toBeLessThan(moved.length / 2);

    const third = await serve(settings);
    await front.use(third.url, second.url);
    const before = talkers.map(({ cuts }) => cuts.length);
    second.signal('SIGTERM');
    expect(await second.ended).toEqual({ code: 0, signal: null });
    for (const [index, { cuts }] of talkers.entries())
      expect(cuts.length - (before[index] ?? 0)).toBeLessThanOrEqual(1);

    // Until whatever the nodes held of them has run out and was looked at.
    await new Promise((resolve) => setTimeout(resolve, 2.5 * leaseMs));
    for (const { connection } of talkers) expect(connection.snapshot().connected).toBe(true);
    expect(talkers.flatMap(({ refused }) => refused)).toEqual([]);
    expectNothingLost(await settled(third.url, workshopId, talkers), talkers);
  });
});

describe.concurrent('an embedded node', () => {
  it('[Q2] is restarted under load: it ends at once, nobody leaves and nothing is lost', {
    timeout: 120_000,
  }, async ({ onTestFinished }) => {
    const folder = await dataFolder('restart');
    onTestFinished(() => folder.close());
    const { front, serve, talk } = await site(onTestFinished, 100);
    // While nothing answers, clients wait for up to 10 s between two tries.
    const lasting = { PRESENCE_GRACE_MS: '20000', PRESENCE_LEASE_MS: '20000' };
    const settings = { DATA_DIR: folder.path, ...lasting };
    const first = await serve(settings);
    await front.use(first.url);
    const people = Array.from({ length: 20 }, (_, n) => 10 + n);
    const workshopId = await liveWorkshop({ rest: restAt(front.url) }, people);
    const talkers = await talk(people, workshopId);
    const told = performance.now();
    first.signal('SIGTERM');
    expect(await first.ended).toEqual({ code: 0, signal: null });
    expect(performance.now() - told).toBeLessThan(8_000);
    const second = await serve(settings);
    await front.use(second.url);
    for (const { connection, userId } of talkers)
      await until(() => connection.snapshot().connected, { what: `user ${userId}`, timeout: 15_000 });
    // Until what the first process held has run out and was looked at.
    await new Promise((resolve) => setTimeout(resolve, 26_000));
    for (const { cuts } of talkers) expect(cuts).toHaveLength(1);
    // On a machine that takes long to start, some words have waited for longer than anyone wants to.
    const refused = new Set(talkers.flatMap((each) => each.refused));
    expect([...refused].filter((code) => code !== 'unavailable')).toEqual([]);
    expectNothingLost(await settled(second.url, workshopId, talkers), talkers);
  });
});

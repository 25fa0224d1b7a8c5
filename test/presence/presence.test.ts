/** The protocol of presence on two nodes without sockets: who is connected is the test's word. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Engine, workshopEngine } from '../../src/engine/engine.ts';
import { embeddedLog } from '../../src/log/embedded/log.ts';
import type { EventLog, Presence } from '../../src/log/log.ts';
import { type NodePresence, nodePresence, type PresenceParts } from '../../src/presence/presence.ts';
import { codeOf, history, host, ok, send, system, user } from '../engine/nodes.ts';
import { temporaryFolder } from '../kit/folder.ts';
import { until } from '../kit/until.ts';

const workshopId = 1;
/** For those tests in which a lease runs out; in the others none does, however busy the machine. */
const leaseMs = 400;
const graceMs = 60;

let folder: ReturnType<typeof temporaryFolder>;
let log: EventLog;
let nodes: TestNode[];

beforeEach(async () => {
  folder = temporaryFolder('presence');
  log = await embeddedLog({ path: `${folder.path}/log` });
  nodes = [];
});
afterEach(async () => {
  for (const node of nodes) await node.close();
  await log.close();
  await folder.close();
});

interface TestNode {
  name: string;
  engine: Engine;
  presence: NodePresence;
  /** User → whether they are leaving. */
  here: Map<number, boolean>;
  faults: unknown[];
  close(): Promise<void>;
}

interface Changes {
  log?: Partial<Presence>;
  handle?: PresenceParts['handle'];
  graceMs?: number;
  leaseMs?: number;
}

/** A node that clients can reach, and that has a lease. */
async function node(name: string, changes: Changes = {}): Promise<TestNode> {
  const engine = workshopEngine({ log, node: name });
  const here = new Map<number, boolean>();
  const faults: unknown[] = [];
  const presence = nodePresence({
    log: { presence: { ...log.presence, ...changes.log } },
    ...{ node: name, leaseMs: changes.leaseMs ?? 60_000, graceMs: changes.graceMs ?? graceMs },
    connected: {
      has: (_, userId) => here.has(userId),
      workshops: () => [workshopId],
      staying: () => [...here].filter(([, leaves]) => !leaves).map(([userId]) => userId),
    },
    handle: changes.handle ?? engine.handle,
    failed: (error) => faults.push(error),
  });
  const close = async () => {
    await presence.close();
    await engine.close();
  };
  const made = { name, engine, presence, here, faults, close };
  nodes.push(made);
  presence.opened();
  await presence.ready;
  return made;
}

async function live(at: TestNode, members: readonly number[]): Promise<void> {
  const scheduledAt = new Date().toISOString();
  await ok(send(at, workshopId, host, 'schedule-workshop', { title: 'Presence', scheduledAt }));
  await ok(send(at, workshopId, host, 'start', {}));
  for (const id of members) await ok(send(at, workshopId, user(id), 'rsvp', {}));
}

async function join(at: TestNode, userId: number): Promise<void> {
  const arrival = at.presence.joining(workshopId, userId);
  await ok(send(at, workshopId, user(userId), 'join', {}));
  at.here.set(userId, false);
  arrival.inside();
}

function drop(at: TestNode, userId: number): void {
  at.here.delete(userId);
  at.presence.dropped(workshopId, userId);
}

/** Who left, and how. */
async function left(): Promise<string[]> {
  const events = await history(log, workshopId);
  return events
    .filter(({ type }) => type === 'user-left')
    .map(({ data }) => `${(data as { userId: number }).userId} ${(data as { reason: string }).reason}`);
}

const someoneLeft = () =>
  until(async () => (await left()).length > 0, { what: 'someone to be recorded as gone' });

/** Whether anyone at all would keep the user present. */
async function isHeld(userId: number): Promise<boolean> {
  const asking = workshopEngine({ log, node: 'asking' });
  const code = await codeOf(send({ engine: asking }, workshopId, system, 'drop-user', { userId }));
  await asking.close();
  return code === 'unchanged';
}

describe('someone whose last socket dropped', () => {
  it('[P2] is gone after the time of grace, and not before', async () => {
    const a = await node('a');
    await live(a, [2]);
    await join(a, 2);
    drop(a, 2);
    const dropped = performance.now();
    await someoneLeft();
    expect(performance.now() - dropped).toBeGreaterThan(graceMs * 0.9);
    expect(await left()).toEqual(['2 disconnected']);
    // The event may be seen before its answer is.
    await until(() => !a.presence.awaits(workshopId), { what: 'the grace to be over' });
  });

  it('[P2] stays who is back within it, on this node or on another one', async () => {
    const [a, b] = [await node('a', { graceMs: 600 }), await node('b')];
    await live(a, [2, 3]);
    await join(a, 2);
    await join(a, 3);
    drop(a, 2);
    drop(a, 3);
    await join(a, 2);
    await join(b, 3);
    await until(() => !a.presence.awaits(workshopId), { what: 'the grace of the other one to end' });
    expect(await left()).toEqual([]);
  });

  it('[P1] is not awaited while another socket of theirs is there', async () => {
    const a = await node('a');
    await live(a, [2]);
    await join(a, 2);
    a.presence.dropped(workshopId, 2);
    expect(a.presence.awaits(workshopId)).toBe(false);
  });

  it('[P1] is not awaited while another socket of theirs is joining, and is if that one does not get in', async () => {
    const a = await node('a');
    await live(a, [2]);
    await join(a, 2);
    const second = a.presence.joining(workshopId, 2);
    drop(a, 2);
    await ok(send(a, workshopId, user(2), 'join', {}));
    a.here.set(2, false);
    second.inside();
    await sleep(3 * graceMs);
    expect(await left()).toEqual([]);

    const [third, fourth] = [a.presence.joining(workshopId, 2), a.presence.joining(workshopId, 2)];
    drop(a, 2);
    await third.notLetIn(false);
    expect(a.presence.awaits(workshopId)).toBe(false);
    await fourth.notLetIn(false);
    expect(a.presence.awaits(workshopId)).toBe(true);
    await someoneLeft();
    expect(await left()).toEqual(['2 disconnected']);
  });

  it('[P5] keeps the hold of a join that is under way where an earlier removal is heard of', async () => {
    const a = await node('a');
    await live(a, [2]);
    await join(a, 2);
    a.here.delete(2);
    const arrival = a.presence.joining(workshopId, 2);
    a.presence.removed(workshopId, 2);
    await sleep(20);
    expect(await isHeld(2)).toBe(true);
    await arrival.notLetIn(false);
    expect(await isHeld(2)).toBe(false);
  });

  it('is not recorded as gone by a node that ends, but by those that stay', async () => {
    const a = await node('a', { leaseMs });
    await live(a, [2]);
    await join(a, 2);
    a.presence.drain();
    drop(a, 2);
    await sleep(2 * graceMs);
    expect(await left()).toEqual([]);
    await nodes.shift()?.close();
    await node('b', { leaseMs });
    await someoneLeft();
    expect(await left()).toEqual(['2 disconnected']);
  });
});

describe('a join whose answer is missing', () => {
  it('[P7] leaves neither a ghost nor a hold behind', async () => {
    const [a, b] = [await node('a'), await node('b')];
    await live(a, [2]);
    // As the engine does before it decides; then the log did not answer.
    await log.presence.hold(workshopId, [2], a.name);
    await a.presence.joining(workshopId, 2).notLetIn(true);
    expect(a.presence.awaits(workshopId)).toBe(true);
    await until(() => !a.presence.awaits(workshopId), { what: 'the grace to end' });
    await join(b, 2);
    drop(b, 2);
    await someoneLeft();
    expect(await left()).toEqual(['2 disconnected']);
  });

  it('[P7] is given back where it was refused', async () => {
    const a = await node('a');
    await live(a, [2]);
    await log.presence.hold(workshopId, [2], a.name);
    await a.presence.joining(workshopId, 2).notLetIn(false);
    expect(a.presence.awaits(workshopId)).toBe(false);
    const b = await node('b');
    await join(b, 2);
    await log.presence.release(workshopId, [2], b.name);
    expect(await isHeld(2)).toBe(false);
  });
});

describe('after the log was away', () => {
  it('[P9] nobody is recorded as gone for one lease, however short the grace', async () => {
    let isAway = false;
    const renew: Presence['renew'] = async (...lease) => {
      if (isAway) throw new Error('the log is away');
      return log.presence.renew(...lease);
    };
    const a = await node('a', { log: { renew }, graceMs: 1, leaseMs });
    await live(a, [2, 3]);
    await join(a, 2);
    await join(a, 3);
    isAway = true;
    await until(() => a.faults.length > 0, { what: 'the outage to be noticed' });
    drop(a, 2);
    await sleep(leaseMs / 4);
    expect(await left()).toEqual([]);
    const back = performance.now();
    isAway = false;
    await sleep(leaseMs / 2);
    drop(a, 3);
    await until(async () => (await left()).length === 2, { what: 'both to be gone' });
    expect(performance.now() - back).toBeGreaterThan(leaseMs);
  });
});

describe('a node that died', () => {
  it('[P6] loses its users to any other one, which could be reached for one lease', async () => {
    const a = await node('a', { leaseMs });
    await live(a, [2, 3]);
    await log.presence.renew('dead', 1);
    for (const userId of [2, 3]) await ok(send(a, workshopId, user(userId), 'join', {}));
    await log.presence.release(workshopId, [2, 3], a.name);
    await log.presence.hold(workshopId, [2, 3], 'dead');
    // One of them is back here by now.
    a.here.set(3, false);
    const found = performance.now();
    await someoneLeft();
    expect(performance.now() - found).toBeGreaterThan(leaseMs / 2);
    await until(async () => (await log.presence.expired()).length === 0, { what: 'it to be forgotten' });
    expect(await left()).toEqual(['2 disconnected']);
  });

  it('[P10] says anew whom it holds when it comes back, but for those who are leaving', async () => {
    let stands = true;
    const renew: Presence['renew'] = async (...lease) => (await log.presence.renew(...lease)) && stands;
    const held: (readonly number[])[] = [];
    const hold: Presence['hold'] = (id, userIds, name) => {
      held.push(userIds);
      return log.presence.hold(id, userIds, name);
    };
    const a = await node('a', { log: { renew, hold }, leaseMs });
    await live(a, [2, 3]);
    await join(a, 2);
    await join(a, 3);
    a.here.set(3, true);
    await log.presence.release(workshopId, [2, 3], a.name);
    stands = false;
    await until(() => held.length > 1, { what: 'who stays to be held again' });
    expect(held[0]).toEqual([2]);
    expect(await isHeld(2)).toBe(true);
    expect(await isHeld(3)).toBe(false);
    expect(await left()).toEqual(['3 disconnected']);
  });
});

describe('a node whose renewal was done and not answered', () => {
  it('[P10] says anew whom it holds: that its lease had run out may be what it missed', async () => {
    let isCut = false;
    const renew: Presence['renew'] = async (...lease) => {
      const stood = await log.presence.renew(...lease);
      if (!isCut) return stood;
      isCut = false;
      throw new Error('cut off');
    };
    const held: (readonly number[])[] = [];
    const hold: Presence['hold'] = async (id, userIds, name) => {
      await log.presence.hold(id, userIds, name);
      held.push(userIds);
    };
    const a = await node('a', { log: { renew, hold }, leaseMs });
    await live(a, [2]);
    await join(a, 2);
    await log.presence.release(workshopId, [2], a.name);
    isCut = true;
    await until(() => held.length > 0, { what: 'who is here to be held again' });
    expect(held[0]).toEqual([2]);
    expect(await isHeld(2)).toBe(true);
  });
});

describe('someone who is said to have left while here', () => {
  it('is let in again, as often as it takes, and no longer than it is so', async () => {
    const asked: string[] = [];
    let answers = false;
    const handle: PresenceParts['handle'] = async ({ name }) => {
      asked.push(name);
      return answers ? { ok: true, changed: true } : { ok: false, error: { retryable: true } };
    };
    const a = await node('a', { handle });
    let isSo = true;
    a.presence.rejoin(workshopId, user(2), () => isSo);
    await until(() => asked.length === 2, { what: 'a second try' });
    answers = true;
    await until(() => asked.length === 3, { what: 'a third try' });
    answers = false;
    a.presence.rejoin(workshopId, user(3), () => isSo);
    isSo = false;
    await sleep(1_200);
    expect(asked).toEqual(['rejoin-user', 'rejoin-user', 'rejoin-user', 'rejoin-user']);
    expect(a.faults).toEqual([]);
  });

  it('is not tried again by a node that has ended', async () => {
    let asked = 0;
    const handle: PresenceParts['handle'] = async () => {
      asked++;
      return { ok: false, error: { retryable: true } };
    };
    const a = await node('a', { handle });
    a.presence.rejoin(workshopId, user(2), () => true);
    await a.close();
    nodes = [];
    await sleep(1_200);
    expect(asked).toBe(1);
    expect(a.faults).toEqual([]);
  });
});

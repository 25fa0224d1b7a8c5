/**
 * The protections, taken away one at a time: each of these histories must break an invariant, or the tests that find nothing
 * wrong with the real thing prove nothing. The log is wrapped here, in front of real engines and a real Redis; the product
 * has no such switches.
 */
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { CommandName } from '../../src/domain/catalog.ts';
import { type Engine, type Outcome, workshopEngine } from '../../src/engine/engine.ts';
import type { EventLog } from '../../src/log/log.ts';
import { redisLog } from '../../src/log/redis/log.ts';
import { check } from '../kit/history/check.ts';
import type { Recording } from '../kit/history/history.ts';
import { redisEvents } from '../kit/history/read.ts';
import { redisClient } from '../kit/redis.ts';
import { gathering, judge } from '../kit/scene.ts';
import { seeded } from '../kit/seeded.ts';
import { testServer } from '../kit/server.ts';
import { migratedPostgres, sharedRedis } from '../kit/shared.ts';

type Without = Partial<EventLog>;

/** What servers of this file take away from their logs. */
const taken = vi.hoisted(() => ({ from: (_: EventLog): Without => ({}) }));
vi.mock('../../src/log/redis/log.ts', async (original) => {
  const { redisLog, ...rest } = await original<typeof import('../../src/log/redis/log.ts')>();
  const wrapped: typeof redisLog = async (options) => {
    const log = await redisLog(options);
    return { ...log, ...taken.from(log) };
  };
  return { ...rest, redisLog: wrapped };
});

let client: Redis;
let url: string;
let closing: (() => Promise<unknown>)[];

beforeEach(async () => {
  url = await sharedRedis();
  client = redisClient(url);
  closing = [async () => client.disconnect()];
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A node's engine on the log as `wrap` makes it. It follows no feed: what others append it does not know. */
async function node(wrap: (log: EventLog) => Without = () => ({})): Promise<Engine> {
  const log = await redisLog({ address: { url }, onError: () => undefined });
  const engine = workshopEngine({ log: { ...log, ...wrap(log) }, node: randomUUID() });
  closing.push(
    () => log.close(),
    () => engine.close(),
  );
  return engine;
}

let workshopId = 0;
const host = 1;
const guest = 2;

/** What a person asks of engines, written down as the recorder does. */
function recorder(userId: number) {
  const recording: Recording = { userId, workshopId, began: Date.now(), steps: [] };
  let wishes = 0;
  return {
    recording,
    async ask(
      engine: Engine,
      name: CommandName,
      payload: object = {},
      commandId: string = randomUUID(),
      wish = ++wishes,
    ) {
      const place = { ms: Date.now() - recording.began, connection: 1 };
      const asked = { wish, name, commandId };
      recording.steps.push({ ...place, kind: 'asked', ...asked, payload: { ...payload } });
      const outcome = await engine.handle({
        ...{ workshopId, name, payload, commandId },
        actor: { kind: 'user', userId, displayName: `User ${userId}`, avatarUrl: null, roles: [] },
      });
      recording.steps.push({
        ...place,
        ms: Date.now() - recording.began,
        kind: 'answered',
        ...asked,
        reply: reply(outcome),
      });
      return outcome;
    },
  };
}

const reply = (outcome: Outcome) => (outcome.ok ? { ...outcome, resumed: false } : outcome);

/** A live workshop with host and guest in it. */
async function begin(engine: Engine) {
  workshopId++;
  const [one, two] = [recorder(host), recorder(guest)];
  const scheduledAt = new Date().toISOString();
  const plan = {
    title: 'Twin',
    description: null,
    scheduledAt,
    durationMinutes: null,
    visibility: 'public',
    capacity: null,
  };
  await one.ask(engine, 'schedule-workshop', plan);
  await two.ask(engine, 'rsvp');
  await one.ask(engine, 'start');
  expect(await two.ask(engine, 'join')).toMatchObject({ ok: true, changed: true });
  return { one, two };
}

async function broken(...people: { recording: Recording }[]): Promise<string[]> {
  // What was received is not looked at here: nobody has a socket.
  const recordings = people.map(({ recording }) => ({
    ...recording,
    steps: recording.steps.filter((step) => !('name' in step && step.name === 'join')),
  }));
  const log = new Map([...(await redisEvents(client))].filter(([id]) => id === workshopId));
  const { violations } = check({ log, recordings });
  return [...new Set(violations.map(({ invariant }) => invariant))].sort();
}

describe('without', () => {
  /** The same story with and without a protection: a command that comes twice, on two nodes. */
  async function repeated(wrap?: (log: EventLog) => Without): Promise<string[]> {
    const [here, there] = [await node(wrap), await node(wrap)];
    const { one, two } = await begin(here);
    const id = randomUUID();
    await two.ask(here, 'chat', { message: 'once' }, id, 100);
    await two.ask(there, 'chat', { message: 'once' }, id, 100);
    return broken(one, two);
  }

  it('[F12] the memory of command ids a repeated command is done twice', async () => {
    expect(await repeated()).toEqual([]);
    const forgetful = (log: EventLog): Without => ({
      events: {
        ...log.events,
        append: (request) =>
          log.events.append({
            ...request,
            commands: request.commands.map((command) => ({ ...command, remember: false })),
          }),
      },
    });
    expect(await repeated(forgetful)).toEqual(['C1']);
  });

  /** One who was removed on one node says something on another, which has not heard of it. */
  async function stale(wrap?: (log: EventLog) => Without): Promise<string[]> {
    const [here, there] = [await node(), await node(wrap)];
    const { one, two } = await begin(here);
    await two.ask(there, 'chat', { message: 'known here' });
    await one.ask(here, 'remove-user', { targetUserId: guest });
    await two.ask(there, 'chat', { message: 'unnoticed' });
    return broken(one, two);
  }

  it('[F20] the marks that a decision read, who was removed goes on talking', async () => {
    expect(await stale()).toEqual([]);
    const blind = (log: EventLog): Without => ({
      events: {
        ...log.events,
        append: (request) =>
          log.events.append({
            ...request,
            commands: request.commands.map((command) => ({ ...command, reads: [] })),
          }),
      },
    });
    expect(await stale(blind)).toEqual(['C5']);
  });

  it('[F2] a file to which Redis appends, what was acknowledged is gone', async () => {
    const engine = await node();
    const { one, two } = await begin(engine);
    await two.ask(engine, 'chat', { message: 'soon forgotten' });
    expect(await broken(one, two)).toEqual([]);
    // What a restart leaves of a Redis that keeps nothing.
    await client.flushdb();
    expect(await broken(one, two)).toEqual(['C1']);
  });

  /** A server whose log loses its last events and grows again, and what its people then know of the room. */
  async function cutShort(from: (log: EventLog) => Without): Promise<string[]> {
    taken.from = from;
    const server = await testServer({ REDIS_URL: url, DATABASE_URL: await migratedPostgres() });
    taken.from = () => ({});
    closing.push(server.close);
    const room = await gathering({ nodes: [server.url], size: 4, chance: seeded('twin'), comings: false });
    closing.push(async () => room.close());
    const say = (message: string) => room.host.send('chat', { message });
    await say('kept');
    const keys = await client.keys('*');
    const dump = await Promise.all(keys.map(async (key) => [key, await client.dumpBuffer(key)] as const));
    for (let n = 0; n < 5; n++) await say(`lost ${n}`);
    await room.people.at(-1)?.reaches(room.host.view?.version ?? 0);
    await client.flushdb();
    const restoring = client.multi();
    for (const [key, value] of dump) restoring.restore(key, 0, value);
    await restoring.exec();
    for (let n = 0; n < 10; n++) await say(`after ${n}`);
    const log = () => redisEvents(client);
    const { violations } = await judge({ gatherings: [room], log, mayLose: true, timeout: 3_000 });
    await server.close();
    closing.splice(closing.indexOf(server.close), 1);
    return [...new Set(violations.map(({ invariant }) => invariant))];
  }

  it('[F4] the comparing of what was seen with what is there, people have a room that nobody else has', {
    timeout: 60_000,
  }, async () => {
    expect(await cutShort(() => ({}))).toEqual([]);
    // Never told of a gap, and takes every append for one of the epoch that it knew first.
    const known = new Map<number, string>();
    const trusting = (log: EventLog): Without => ({
      events: {
        ...log.events,
        async head(workshopId) {
          const head = await log.events.head(workshopId);
          if (head === null) return null;
          const epoch = known.get(workshopId) ?? head.epoch;
          known.set(workshopId, epoch);
          return { ...head, epoch };
        },
      },
      feed: {
        ...log.feed,
        tail: ({ onBatch, ...options }) =>
          log.feed.tail({
            ...options,
            onBatch({ entries, gap, ...batch }) {
              if (gap) return;
              const taken = entries.map((entry) => ({ ...entry, epoch: known.get(entry.workshopId) ?? '' }));
              return onBatch({ ...batch, gap, entries: taken });
            },
          }),
      },
    });
    expect(await cutShort(trusting)).toContain('C3');
  });
});

/** Rate limits in memory and shared over Redis: by their own accounts, with Redis there, frozen and gone. */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Limits, rateLimits } from '../../src/limits/limiter.ts';
import { redisStore } from '../../src/limits/shared.ts';
import { allowancesOf, type Kind, kinds, type Layer, socketsOfUser } from '../../src/limits/table.ts';
import { temporaryFolder } from '../kit/folder.ts';
import { type RedisServer, startRedis } from '../kit/redis.ts';
import { until } from '../kit/until.ts';

const chats = allowancesOf('chat').user?.points ?? 0;

/** How many of so many go through. */
async function admitted(limits: Limits, times: number, user: number, kind: Kind = 'chat'): Promise<number> {
  let count = 0;
  for (let n = 0; n < times; n++) if ((await limits.take(kind, { user })).ok) count++;
  return count;
}

describe('places', () => {
  it('[M24] are taken and given back, each once', () => {
    const { sockets } = rateLimits({ scale: 1 });
    const leave = Array.from({ length: socketsOfUser.most }, () => sockets.take(7));
    expect(leave).not.toContain(undefined);
    expect(sockets.take(7)).toBeUndefined();
    expect(sockets.take(8)).toBeDefined();
    for (const _ of [1, 2]) leave[0]?.();
    expect(sockets.take(7)).toBeDefined();
    expect(sockets.take(7)).toBeUndefined();
    const unlimited = rateLimits({ scale: 0 }).sockets;
    for (let n = 0; n < 1_000; n++) expect(unlimited.take(7)).toBeDefined();
  });
});

describe('limits in memory', () => {
  afterEach(() => void vi.useRealTimers());

  it('[M10] are never scaled below the pace of people where they hold moderating up', async () => {
    expect(await admitted(rateLimits({ scale: 0.001 }), 150, 7, 'moderate')).toBe(100);
    expect(await admitted(rateLimits({ scale: 1 }), 500, 7, 'moderate')).toBe(400);
  });

  it('[M1] let an account have its allowance, and say when to come back', async () => {
    vi.useFakeTimers();
    const refused: [Kind, Layer][] = [];
    const limits = rateLimits({ scale: 1, refused: (kind, layer) => refused.push([kind, layer]) });
    expect(await admitted(limits, chats + 5, 7)).toBe(chats);
    expect(refused).toEqual(Array.from({ length: 5 }, () => ['chat', 'user']));
    expect(await admitted(limits, 5, 8)).toBe(5);
    expect(await admitted(limits, 5, 7, 'hand')).toBe(5);
    const verdict = await limits.take('chat', { user: 7 });
    if (verdict.ok) expect.fail('it was let through');
    expect(verdict.layer).toBe('user');
    expect(verdict.retryAfterMs).toBeGreaterThan(0);
    expect(verdict.retryAfterMs).toBeLessThanOrEqual(10_000);
    await vi.advanceTimersByTimeAsync(verdict.retryAfterMs - 1);
    expect(await limits.take('chat', { user: 7 })).toMatchObject({ ok: false });
    await vi.advanceTimersByTimeAsync(1);
    expect(await limits.take('chat', { user: 7 })).toEqual({ ok: true });
  });

  it('[M2] count what one account refuses on no wider one', async () => {
    // Two to a user, two hundred to a workshop.
    const limits = rateLimits({ scale: 1 / 30 });
    const flood = { user: 1, address: '192.0.2.1', workshop: 5 };
    const verdicts = await Promise.all(Array.from({ length: 1_000 }, () => limits.take('chat', flood)));
    expect(verdicts.filter(({ ok }) => ok)).toHaveLength(2);
    expect(await limits.take('chat', { ...flood, user: 2 })).toEqual({ ok: true });
  });

  it('[M2] hold a crowd of users to what an address and a workshop may do', async () => {
    const limits = rateLimits({ scale: 1 / 60 });
    const from = (address: string) => (user: number) => limits.take('chat', { user, address, workshop: 5 });
    const users = Array.from({ length: 101 }, (_, n) => n);
    const first = await Promise.all(users.map(from('192.0.2.1')));
    expect(first.filter(({ ok }) => !ok)).toMatchObject([{ layer: 'address' }]);
    const second = await Promise.all(users.map((user) => from('192.0.2.2')(1_000 + user)));
    expect(second.filter(({ ok }) => !ok)).toHaveLength(101);
    expect(second.at(0)).toMatchObject({ layer: 'workshop' });
  });

  it('[M3] follow the scale, and are off at 0', async () => {
    expect(await admitted(rateLimits({ scale: 2 }), 3 * chats, 7)).toBe(2 * chats);
    expect(await admitted(rateLimits({ scale: 0 }), 3 * chats, 7)).toBe(3 * chats);
    expect(await admitted(rateLimits({ scale: 0.000_1 }), 3, 7)).toBe(1);
  });

  it('have a layer of their own for every kind', () => {
    for (const kind of kinds) expect(Object.keys(allowancesOf(kind)), kind).not.toEqual([]);
  });
});

describe('limits of several nodes, with the rights that a node is given', () => {
  const folder = temporaryFolder('limits');
  let redis: RedisServer;
  const clients: Redis[] = [];
  const failures: unknown[] = [];
  const node = (scale = 1): Limits => {
    const client = redis.client({
      username: 'workshop',
      password: 'node',
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      commandTimeout: 500,
    });
    clients.push(client);
    return rateLimits({ scale, store: redisStore(client, (error) => failures.push(error)) });
  };
  const isUp = () => until(() => clients.every(({ status }) => status === 'ready'), { what: 'the clients' });
  /** Scripts that Redis ran, by hash or by text. */
  const calls = async (): Promise<number> => {
    const found = (await watch.info('commandstats')).matchAll(/cmdstat_eval(?:sha)?:calls=(\d+)/g);
    return [...found].reduce((sum, [, count]) => sum + Number(count), 0);
  };
  let watch: Redis;

  const aclfile = `${folder.path}/users.acl`;

  beforeAll(async () => {
    const hash = createHash('sha256').update('node').digest('hex');
    const users = readFileSync(new URL('../../deploy/redis-users.acl', import.meta.url), 'utf8')
      .replace('NODE_PASSWORD_SHA256', hash)
      .replace('PROJECTOR_PASSWORD_SHA256', hash)
      .replace('ANALYST_PASSWORD_SHA256', hash);
    writeFileSync(aclfile, `${users}user watcher on nopass ~* &* +@all\n`);
    redis = await startRedis({ appendonly: false, extra: { aclfile } });
    watch = redis.client({ username: 'watcher', password: 'any' });
  });
  afterAll(async () => {
    await redis.close();
    await folder.close();
  });

  it('[M4] give who uses them all at most a quarter more from each node', async () => {
    const nodes = [node(), node(), node(), node()];
    await isUp();
    let through = 0;
    for (let n = 0; n < 2 * chats; n++)
      for (const limits of nodes) {
        if ((await limits.take('chat', { user: 7 })).ok) through++;
        // A flood comes over a network: what Redis says gets a moment to arrive.
        if (n % 5 === 0) await sleep(1);
      }
    expect(through).toBeGreaterThanOrEqual(chats);
    expect(through).toBeLessThanOrEqual(chats + nodes.length * Math.ceil(chats / 4));
    expect(through).toBeLessThan((nodes.length * chats) / 1.5);
  });

  it('[M5] cost Redis nothing for who stays below a quarter', async () => {
    const limits = node();
    await isUp();
    const before = await calls();
    for (let user = 100; user < 200; user++) await admitted(limits, 14, user);
    await sleep(20);
    expect(await calls()).toBe(before);
    await admitted(limits, 1, 100);
    await until(async () => (await calls()) > before, { what: 'a quarter to be reported' });
  });

  it('[M6] hold, and wait for nothing, while Redis is frozen or gone, and are shared again afterwards', async () => {
    const limits = node();
    await isUp();
    await redis.kill('SIGSTOP');
    const began = performance.now();
    expect(await admitted(limits, 2 * chats, 300)).toBe(chats);
    expect(performance.now() - began).toBeLessThan(400);
    await redis.kill('SIGCONT');
    await redis.kill();
    expect(await admitted(limits, 2 * chats, 301)).toBe(chats);
    await redis.start();
    await isUp();
    const other = node();
    await isUp();
    let user = 400;
    const isShared = async () => {
      user++;
      await admitted(limits, chats, user);
      await sleep(20);
      // The first quarter is let through before Redis is asked.
      await admitted(other, Math.floor(chats / 4), user);
      await sleep(20);
      return !(await other.take('chat', { user })).ok;
    };
    await until(isShared, { what: 'the limits to be shared again', timeout: 10_000 });
    // Once for each time that it went away, and never for want of a right.
    expect(failures.length).toBeGreaterThanOrEqual(1);
    expect(failures.length).toBeLessThanOrEqual(3);
    expect(failures.filter((failure) => /NOPERM/.test(String(failure)))).toEqual([]);
  });
});

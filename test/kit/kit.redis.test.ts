import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RedisServer, redisClient, startRedis } from './redis.ts';
import { sharedRedis } from './shared.ts';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.close());

test('what a Redis acknowledged is there after a restart and after a kill -9', async () => {
  const client = redis.client();
  await client.xadd('events', '1-0', 'type', 'hand-raised');
  await redis.restart();
  expect(await client.xlen('events')).toBe(1);

  await client.xadd('events', '2-0', 'type', 'hand-lowered');
  await redis.kill('SIGKILL');
  await redis.start();
  expect(await client.xlen('events')).toBe(2);
});

test('a Redis is durable and evicts nothing unless a test asks otherwise', async () => {
  const client = redis.client();
  expect(await client.config('GET', 'appendfsync')).toEqual(['appendfsync', 'always']);
  expect(await client.config('GET', 'maxmemory-policy')).toEqual(['maxmemory-policy', 'noeviction']);

  const volatile = await startRedis({
    appendonly: false,
    maxmemoryPolicy: 'allkeys-lru',
    extra: { maxmemory: '64mb' },
  });
  const other = volatile.client();
  expect(await other.config('GET', 'appendonly')).toEqual(['appendonly', 'no']);
  expect(await other.config('GET', 'maxmemory-policy')).toEqual(['maxmemory-policy', 'allkeys-lru']);
  await other.set('key', 'value');
  await volatile.kill();
  await volatile.start();
  expect(await other.get('key')).toBeNull();
  await volatile.close();
});

test('a frozen Redis answers nothing, and everything once it is thawed', async () => {
  const patient = redis.client();
  const hasty = redis.client({ commandTimeout: 100 });
  await Promise.all([patient.ping(), hasty.ping()]);
  await redis.kill('SIGSTOP');
  const answer = patient.ping();
  await expect(hasty.ping()).rejects.toThrow('Command timed out');
  await redis.kill('SIGCONT');
  expect(await answer).toBe('PONG');
});

test('each caller of the shared Redis has an empty database of its own', async () => {
  const [first, second] = await Promise.all([sharedRedis(), sharedRedis()]);
  expect(first).not.toBe(second);
  const clients = [redisClient(first), redisClient(second)] as const;
  await clients[0].set('key', 'value');
  expect(await clients[0].dbsize()).toBe(1);
  expect(await clients[1].dbsize()).toBe(0);
  for (const client of clients) client.disconnect();
});

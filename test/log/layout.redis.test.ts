/** The number of the layout in Redis: who writes it, and which programs it lets start. */
import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Forms } from '../../src/log/formats.ts';
import { connect } from '../../src/log/redis/connect.ts';
import { redisLog } from '../../src/log/redis/log.ts';
import { withScripts } from '../../src/log/redis/scripts.ts';
import { openSettings } from '../../src/log/redis/settings.ts';
import { redisClient } from '../kit/redis.ts';
import { sharedRedis } from '../kit/shared.ts';

const key = 'ws:{ids}:settings';
let url: string;
let client: Redis;

beforeEach(async () => {
  url = await sharedRedis();
  client = redisClient(url);
});
afterEach(() => client.disconnect());

/** Starts as a node of the present version does, and ends it. */
async function start(partitions?: number): Promise<number> {
  const address = { url };
  const log = await redisLog({ address, onError: () => undefined, ...(partitions && { partitions }) });
  await log.close();
  return log.partitions;
}

/** Starts as a node of another version does. */
async function startAs(known: Omit<Forms, 'word'>): Promise<number> {
  const redis = withScripts(await connect({ url }, 'commands', () => undefined));
  try {
    const settings = await openSettings(
      redis,
      { partitions: 100 + known.written },
      { word: 'layout', ...known },
    );
    return settings.partitions;
  } finally {
    redis.disconnect();
  }
}

describe('the layout in Redis', () => {
  test('[L17] has a number from the beginning, and is started on again', async () => {
    expect(await start(4)).toBe(4);
    expect(await client.hgetall(key)).toEqual({ partitions: '4', layout: '1' });
    expect(await start()).toBe(4);
    expect(await client.hgetall(key)).toEqual({ partitions: '4', layout: '1' });
  });

  test('[L17] without a number is the first one, and gets it', async () => {
    await client.hset(key, 'partitions', 16);
    expect(await start()).toBe(16);
    expect(await client.hgetall(key)).toEqual({ partitions: '16', layout: '1' });
    await client.hdel(key, 'layout');
    // Whatever the program would have written.
    expect(await startAs({ written: 3, oldest: 1, newest: 3 })).toBe(16);
    expect(await client.hgetall(key)).toEqual({ partitions: '16', layout: '1' });
  });

  test('[L17] that is newer than the program refuses it, and nothing is changed', async () => {
    const found = { partitions: '4', layout: '2', more: 'x' };
    await client.hset(key, found);
    await expect(start()).rejects.toThrow(
      /^the event log in Redis has layout 2; this version of the program reads layout 1: upgrade the program$/,
    );
    expect(await client.hgetall(key)).toEqual(found);
    // Also where the number of partitions is kept elsewhere by then.
    await client.hdel(key, 'partitions');
    await expect(start()).rejects.toThrow('has layout 2;');
    expect(await client.hgetall(key)).toEqual({ layout: '2', more: 'x' });
    expect(await client.keys('*')).toEqual([key]);
    await client.hset(key, 'layout', '2b');
    await expect(start()).rejects.toThrow('has layout 2b;');
  });

  test('[L17] that is older stays as it is where the program still reads it, and refuses it elsewhere', async () => {
    await start(4);
    expect(await startAs({ written: 2, oldest: 1, newest: 3 })).toBe(4);
    expect(await client.hget(key, 'layout')).toBe('1');
    await expect(startAs({ written: 3, oldest: 2, newest: 3 })).rejects.toThrow(
      /^the event log in Redis has layout 1; this version of the program reads layouts 2 to 3: run an older version of it first$/,
    );
    expect(await client.hget(key, 'layout')).toBe('1');
  });

  test('[L17] is begun by one of the nodes that start at once, as a whole', async () => {
    for (const first of [1, 2, 3]) {
      await client.flushdb();
      const versions = [first, 1, 2, 3].map((written) => ({ written, oldest: 1, newest: 3 }));
      const starts = await Promise.all([...versions.map(startAs), start(4), start(64)].map(settled));
      const [partitions, layout] = (await client.hmget(key, 'partitions', 'layout')).map(Number);
      const begun = starts.filter((each) => each !== 'refused');
      expect(new Set(begun)).toEqual(new Set([partitions]));
      // Both numbers are those of one node: the others of that layout, or of one that reads it, follow it.
      expect(begun).toHaveLength(layout === 1 ? 6 : 4);
      expect([4, 64, 100 + Number(layout)]).toContain(partitions);
    }
  });
});

const settled = (starting: Promise<number>) => starting.catch(() => 'refused' as const);

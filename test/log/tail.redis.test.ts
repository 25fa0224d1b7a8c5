/** Tails on Redis whose beginning fails, or whose end comes before it. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { EventLog, TailOptions } from '../../src/log/log.ts';
import { connect } from '../../src/log/redis/connect.ts';
import { type Doorbell, redisDoorbell } from '../../src/log/redis/doorbell.ts';
import { feedReader } from '../../src/log/redis/feedReader.ts';
import { partitionKeys, partitionTags } from '../../src/log/redis/keys.ts';
import { redisLog } from '../../src/log/redis/log.ts';
import { redisLooks } from '../../src/log/redis/looks.ts';
import { ownAppends } from '../../src/log/redis/ownAppends.ts';
import type { Connection } from '../../src/log/redis/scripts.ts';
import { redisTail, type TailConnections } from '../../src/log/redis/tail.ts';
import { type RedisServer, startRedis } from '../kit/redis.ts';
import { until } from '../kit/until.ts';
import { fill } from './drafts.ts';

const keys = partitionTags(2).map(partitionKeys);
let redis: RedisServer;
let log: EventLog;
let connections: TailConnections;
let opened: Connection[];
let listeners: number;

beforeEach(async () => {
  redis = await startRedis({ appendonly: false });
  const address = { url: redis.url };
  log = await redisLog({ address, partitions: 2, onError: () => undefined });
  const reads = await connect(address, 'reads', () => undefined);
  const ringing = await connect(address, 'doorbell', () => undefined);
  opened = [reads, ringing];
  listeners = 0;
  const keysOf = (partition: number) => keys[partition] ?? expect.unreachable();
  const doorbell = counted(redisDoorbell(ringing));
  const looks = redisLooks(reads);
  connections = { reads, doorbell, looks, feeds: feedReader(reads), own: ownAppends(), keys: keysOf };
});
afterEach(async () => {
  for (const each of opened) each.disconnect();
  await log.close();
  await redis.close();
});

/** Counts who listens. */
function counted({ heard, listen }: Doorbell): Doorbell {
  return {
    heard,
    listen(partition, ring) {
      listeners++;
      const deafen = listen(partition, ring);
      return () => {
        listeners--;
        deafen();
      };
    },
  };
}

function open(from: TailOptions['from']) {
  const told: string[] = [];
  const errors: unknown[] = [];
  const tail = redisTail(connections, {
    from,
    onBatch({ entries }) {
      for (const { workshopId, to } of entries) told.push(`${workshopId}:${to}`);
    },
    onError: (error) => void errors.push(error),
  });
  return { tail, told, errors };
}

test('[L7] a tail that cannot begin with one partition hands out each append of the others once, and then that one too', async () => {
  const client = redis.client();
  const broken = keys[1]?.partition ?? '';
  await client.set(broken, 'not a hash');
  await fill(log, 2, 1);
  const { tail, told, errors } = open(
    new Map<number, number | 'end'>([
      [0, 0],
      [1, 'end'],
    ]),
  );
  let isReady = false;
  void tail.ready.then(() => {
    isReady = true;
  });
  await until(() => errors.length > 0, { what: 'the first failure' });
  await fill(log, 2, 1);
  await until(() => told.length === 2, { what: 'what the other partition has' });
  await until(() => errors.length > 2, { what: 'further tries' });
  await fill(log, 2, 1);
  await until(() => told.length === 3, { what: 'the third append' });
  expect([isReady, listeners]).toEqual([false, 1]);

  await client.del(broken);
  await tail.ready;
  await fill(log, 1, 1);
  await fill(log, 2, 1);
  await until(() => told.length >= 5, { what: 'the appends of both' });
  expect(told.toSorted()).toEqual(['1:1', '2:1', '2:2', '2:3', '2:4']);
  expect(listeners).toBe(2);
  await tail.close();
  expect(listeners).toBe(0);
});

test('a tail that is closed before it could begin is closed at once, and tries no more', async () => {
  await redis.client().set(keys[0]?.partition ?? '', 'not a hash');
  const { tail, errors } = open(new Map([[0, 'end']]));
  await until(() => errors.length > 0, { what: 'the first failure' });
  await tail.close();
  await tail.ready;
  const failures = errors.length;
  await new Promise((resolve) => setTimeout(resolve, 600));
  expect(errors).toHaveLength(failures);
});

test('a tail is closed at once while Redis is away and its subscription is not answered', async () => {
  await redis.kill();
  const { tail, told } = open(new Map([[0, 'end']]));
  await tail.close();
  await tail.ready;
  expect(told).toEqual([]);
});

test('a partition that there is not is refused, and nothing is left behind', async () => {
  expect(() => log.feed.tail({ from: new Map([[2, 0]]), onBatch: () => {}, onError: () => {} })).toThrow(
    'there is no partition 2 of 2',
  );
  expect(listeners).toBe(0);
});

/** What the log on Redis does when another run of Redis answers: after a restart, after a failover, with nothing left in it. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RecordedEvent } from '../../src/domain/evolve.ts';
import { type EventLog, isPart, readAll } from '../../src/log/log.ts';
import { type RedisLogOptions, redisLog } from '../../src/log/redis/log.ts';
import { type RedisServer, startRedis } from '../kit/redis.ts';
import { until } from '../kit/until.ts';
import { as, chat, command, draft, fill, follow, send, sent, versions } from './drafts.ts';

const workshopId = 7;
let redis: RedisServer;
let log: EventLog;
let opened: EventLog[];

async function open(more: Partial<RedisLogOptions> = {}): Promise<EventLog> {
  const made = await redisLog({ address: { url: redis.url }, onError: () => undefined, ...more });
  opened.push(made);
  return made;
}

/** Another run of the same Redis, with everything that was in it. */
async function restarted(): Promise<void> {
  await redis.restart();
  await until(() => log.ping().then(() => true), { what: 'the log to be reached again', timeout: 10_000 });
}

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.close());
beforeEach(async () => {
  const client = redis.client();
  await client.flushall();
  client.disconnect();
  opened = [];
  log = await open();
});
afterEach(async () => {
  for (const each of opened) await each.close();
});

describe('epochs', () => {
  test('[L13] after a restart of Redis a new epoch begins before anything is appended, and the old one ends there', async () => {
    const first = await fill(log, workshopId, 3);
    await restarted();
    const late = await send(log, { workshopId, base: 3, epoch: first.epoch }, chat(7));
    const { epoch, version } = as('epoch', late);
    expect(epoch).not.toBe(first.epoch);
    expect(version).toBe(3);
    const next = await sent(log, { workshopId, base: 3, epoch }, chat(7));
    expect([next.from, next.epoch]).toEqual([4, epoch]);
    const head = await log.events.head(workshopId);
    expect(head).toEqual({ version: 4, epoch, past: new Map([[first.epoch, 3]]) });
    if (head === null) throw new Error('the workshop is gone');
    expect([3, 4].map((seen) => isPart(head, first.epoch, seen))).toEqual([true, false]);
    expect([4, 5].map((seen) => isPart(head, epoch, seen))).toEqual([true, false]);
    expect(isPart(head, 'never', 1)).toBe(false);
  });

  test('[L13] an epoch lasts as long as the run, whichever node appends', async () => {
    const { epoch } = await fill(log, workshopId, 1);
    const other = await open();
    expect((await fill(other, workshopId, 1)).epoch).toBe(epoch);
    expect((await fill(log, workshopId, 1)).epoch).toBe(epoch);
  });

  test('[L13] the last eight past epochs are kept', async () => {
    const epochs: string[] = [];
    for (let n = 0; n < 10; n++) {
      epochs.push((await fill(log, workshopId, 1)).epoch);
      await restarted();
    }
    await fill(log, workshopId, 1);
    const past = [...((await log.events.head(workshopId))?.past ?? [])];
    expect(past).toEqual(
      epochs
        .map((epoch, index) => [epoch, index + 1] as [string, number])
        .slice(-8)
        .reverse(),
    );
  }, 60_000);

  test('[L14] a node that finds events missing begins an epoch of which nothing earlier is sure', async () => {
    const { epoch } = await fill(log, workshopId, 3);
    const next = await log.events.newEpoch(workshopId, epoch);
    expect(next).not.toBe(epoch);
    expect(await log.events.newEpoch(workshopId, epoch)).toBe(next);
    expect(await log.events.head(workshopId)).toEqual({ version: 3, epoch: next, past: new Map() });
  });

  test('[L14] and where a restart came between, the old epoch ends with the stream that is there', async () => {
    const { epoch } = await fill(log, workshopId, 3);
    await restarted();
    const next = await log.events.newEpoch(workshopId, epoch);
    expect(await log.events.head(workshopId)).toEqual({
      version: 3,
      epoch: next,
      past: new Map([[epoch, 3]]),
    });
    expect((await fill(log, workshopId, 1)).epoch).toBe(next);
  });
});

describe('the feed', () => {
  test('[L15] of another run is never taken for what follows on the last one, however far it has grown', async () => {
    const partition = log.partitionOf(workshopId);
    const before = await follow(log, partition, 0);
    await fill(log, workshopId, 1);
    await before.came(1);
    const cursor = before.cursor();
    await before.close();
    // The replica that took over lacks one append, and has got two others since.
    const client = redis.client();
    await client.hset(`ws:{${await tagOf(client)}}:partition`, 'seq', cursor - 1, 'run', 'another');
    client.disconnect();
    await fill(log, workshopId, 1);
    await fill(log, workshopId, 1);
    const after = await follow(log, partition, cursor);
    await until(() => after.batches.length > 0, { what: 'the tail to hand something out' });
    expect(after.batches[0]).toMatchObject({ gap: true, entries: [] });
    await after.close();
  });

  test('[L7] is handed out from its beginning to a reader that has seen nothing', async () => {
    await fill(log, workshopId, 2);
    const tail = await follow(log, log.partitionOf(workshopId), 0);
    expect(await tail.came(2)).toEqual([`${workshopId}:1`, `${workshopId}:2`]);
    expect(tail.batches.every(({ gap }) => !gap)).toBe(true);
    await tail.close();
  });
});

describe('a workshop whose stream is gone', () => {
  async function eventsOf(): Promise<RecordedEvent[]> {
    const events: RecordedEvent[] = [];
    for await (const page of readAll(log.events, workshopId)) events.push(...page);
    return events;
  }

  async function* pages(
    events: readonly RecordedEvent[],
    size = 2,
  ): AsyncGenerator<readonly RecordedEvent[]> {
    for (let first = 0; first < events.length; first += size) yield events.slice(first, first + size);
  }

  async function loseStream(): Promise<void> {
    const client = redis.client();
    for (const key of await client.keys('*:events')) await client.del(key);
    client.disconnect();
  }

  test('[L16] is put back as it was, under a new epoch, and goes on', async () => {
    const { epoch } = await sent(
      log,
      { workshopId },
      command({ events: [draft(['user:7']), draft(['room'])] }),
    );
    await sent(log, { workshopId, base: 2 }, chat(7), chat(8));
    const events = await eventsOf();
    await loseStream();
    expect(await log.events.head(workshopId)).toBeNull();
    expect(await log.commands.check(workshopId, 4, 7, null)).toMatchObject({ version: 0, epoch: '' });
    expect(await send(log, { workshopId, base: 4, epoch }, chat(7))).toMatchObject({
      kind: 'conflict',
      version: 0,
    });

    expect(await log.streams.refill(workshopId, pages(events))).toBe(true);
    expect(await eventsOf()).toEqual(events);
    const head = await log.events.head(workshopId);
    expect(head).toMatchObject({ version: 4, past: new Map() });
    expect(head?.epoch).not.toBe(epoch);
    expect(await sent(log, { workshopId, base: 4 }, chat(7))).toMatchObject({ from: 5, epoch: head?.epoch });
    expect((await log.streams.open(log.partitionOf(workshopId))).get(workshopId)).toBe(5);
    expect(await log.timers.claim(10, 0)).toEqual([workshopId]);
  });

  test('[L16] stays for good, although what is written aside goes by itself', async () => {
    await fill(log, workshopId, 3);
    const events = await eventsOf();
    await loseStream();
    await log.streams.refill(workshopId, pages(events));
    const client = redis.client();
    const [stream = ''] = await client.keys('*:events');
    expect(await client.pttl(stream)).toBe(-1);
    client.disconnect();
  });

  test('[L16] still knows the command ids of the last ten minutes', async () => {
    const one = command({ remember: true });
    await sent(log, { workshopId }, one);
    const events = await eventsOf();
    await loseStream();
    await log.streams.refill(workshopId, pages(events));
    expect(as('done', await send(log, { workshopId, base: 1 }, one)).commands).toMatchObject([
      { version: 1 },
    ]);
  });

  test('[L16] is put back once, by whichever node is first, and never over a stream that is there', async () => {
    await fill(log, workshopId, 3);
    const events = await eventsOf();
    const other = await open();
    await loseStream();
    const both = await Promise.all(
      [log, other].map((each) => each.streams.refill(workshopId, pages(events))),
    );
    expect(both.toSorted()).toEqual([false, true]);
    await fill(log, workshopId, 1);
    expect(await other.streams.refill(workshopId, pages(events))).toBe(false);
    expect(versions(await eventsOf())).toEqual([1, 2, 3, 4]);
    const client = redis.client();
    expect(await client.keys('*aside*')).toEqual([]);
    client.disconnect();
  });

  test('[L16] is not put back in part', async () => {
    await fill(log, workshopId, 4);
    const events = await eventsOf();
    await loseStream();
    await expect(log.streams.refill(workshopId, pages(events.toSpliced(2, 1)))).rejects.toThrow(
      'event 3 was not kept',
    );
    expect(await log.events.head(workshopId)).toBeNull();
    expect(await log.streams.refill(workshopId, pages([]))).toBe(false);
  });

  test('[L16] nor where what was written aside went away before all of it had come', async () => {
    await fill(log, workshopId, 4);
    const events = await eventsOf();
    await loseStream();
    const client = redis.client();
    async function* slowly() {
      yield events.slice(0, 2);
      // As if whoever reads the rest took longer than what is aside lasts.
      await client.del(...(await client.keys('*aside*')));
      yield events.slice(2);
    }
    await expect(log.streams.refill(workshopId, slowly())).rejects.toThrow('did not all arrive');
    client.disconnect();
    expect(await log.events.head(workshopId)).toBeNull();
    expect(await log.events.read(workshopId, 0, 10)).toEqual([]);
    expect(await log.streams.refill(workshopId, pages(events))).toBe(true);
    expect(await eventsOf()).toEqual(events);
  });
});

describe('workshop ids', () => {
  test('[L10] are raised above what is known elsewhere where another run may have lost some', async () => {
    let asked = 0;
    const highestId = async () => {
      asked++;
      return 500;
    };
    const node = await open({ highestId });
    expect((await node.ids.allocate()).workshopId).toBe(501);
    expect((await node.ids.allocate()).workshopId).toBe(502);
    expect(asked).toBe(1);
    const client = redis.client();
    await client.flushall();
    expect((await node.ids.allocate()).workshopId).toBe(501);
    await client.set('ws:{ids}:next', 3);
    client.disconnect();
    await restarted();
    await until(() => node.ping().then(() => true), { what: 'the node to be connected again' });
    expect((await node.ids.allocate()).workshopId).toBe(501);
  });

  test('[L10] are not given out while that cannot be told', async () => {
    const node = await open({ highestId: () => Promise.reject(new Error('the database is away')) });
    await expect(node.ids.allocate()).rejects.toThrow('the database is away');
  });
});

async function tagOf(client: ReturnType<RedisServer['client']>): Promise<string> {
  const [key = ''] = await client.keys('*:feed');
  return /\{(.*)\}/.exec(key)?.[1] ?? '';
}

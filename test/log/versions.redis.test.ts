/** Programs of two versions on one log in Redis: what is written, and what others may have written. */
import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RecordedEvent } from '../../src/domain/evolve.ts';
import type { EventLog, TailBatch } from '../../src/log/log.ts';
import { globalKeys, partitionKeys, partitionTags } from '../../src/log/redis/keys.ts';
import { redisLog } from '../../src/log/redis/log.ts';
import { redisClient } from '../kit/redis.ts';
import { sharedRedis } from '../kit/shared.ts';
import { until } from '../kit/until.ts';
import { as, command, draft, fill, follow, send, sent, versions } from './drafts.ts';

const workshopId = 71;
let client: Redis;
let log: EventLog;

beforeEach(async () => {
  const url = await sharedRedis();
  client = redisClient(url);
  log = await redisLog({ address: { url }, partitions: 1, onError: () => undefined });
});
afterEach(async () => {
  await log.close();
  client.disconnect();
});

const keys = partitionKeys(partitionTags(1)[0] ?? '');
const { events: stream, meta } = keys.workshop(workshopId);

/** Appends an event to the stream as another version of the program does. */
async function appendFields(...fields: (string | number)[]): Promise<void> {
  const version = await client.hincrby(meta, 'version', 1);
  await client.xadd(stream, `${version}-0`, ...fields);
}

async function addToFeed(...values: (string | number)[]): Promise<void> {
  const seq = await client.hincrby(keys.partition, 'seq', 1);
  await client.xadd(keys.feed, `${seq}-0`, ...values);
  await client.publish(globalKeys.doorbell, `0:${seq}`);
}

/** As a later version may write an event: in another order, and with more to it. */
const turned = (commandId: string, text: string) => [
  ...['data', JSON.stringify({ text }), 'trace', 'abc', 'command', commandId, 'by', 7, 'at', Date.now()],
  ...['schema', 1, 'type', 'chat-message', 'event', `event of ${commandId}`],
];

describe('what is written', () => {
  test('[L18] is, value by value, what programs that read by place read', async () => {
    const [one, two] = [draft([], { n: 1 }), draft([], { n: 2 })];
    const first = command({ by: 7, commandId: 'c1', events: [one] });
    const { at, epoch } = await sent(
      log,
      { workshopId },
      first,
      command({ ...first, commandId: 'c2', events: [two] }),
    );
    const written = (event: typeof one, commandId: string) => [
      ...['event', event.eventId, 'type', 'chat-message', 'schema', '1', 'at', String(at), 'by', '7'],
      ...['command', commandId, 'data', event.data],
    ];
    const entries = [
      ['1-0', written(one, 'c1')],
      ['2-0', written(two, 'c2')],
    ];
    expect(await client.xrange(stream, '-', '+')).toEqual(entries);
    expect((await client.xrange(keys.feed, '-', '+')).map(([, values]) => values)).toEqual([
      [
        ...['w', '71', 'v', '1', 'e', epoch, 'at', String(at)],
        ...[one.eventId, 'chat-message', '1', '7', 'c1', one.data],
        ...[two.eventId, 'chat-message', '1', '7', 'c2', two.data],
      ],
    ]);

    // What is put back, and what tells of a rewriting.
    const events = await log.events.read(workshopId, 0, 10);
    await log.streams.remove(workshopId, { version: 2, epoch, eventId: two.eventId });
    await log.streams.refill(workshopId, pages(events));
    expect(await client.xrange(stream, '-', '+')).toEqual(entries);
    expect(await log.streams.rewrite(workshopId, () => ({ n: 0 }))).toBe(2);
    const [last] = await client.xrevrange(keys.feed, '+', '-', 'COUNT', 1);
    const now = await log.events.head(workshopId);
    expect(last?.[1]).toEqual(['w', '71', 'v', '3', 'e', now?.epoch, 'at', String(at)]);
  });
});

describe('an entry of a stream that another version wrote', () => {
  test('[L18] is read, and tells what was done, like any other', async () => {
    const { epoch } = await fill(log, workshopId, 1);
    await appendFields(...turned('c2', 'two'));
    const [, event] = await log.events.read(workshopId, 0, 10);
    expect(event).toMatchObject({
      version: 2,
      eventId: 'event of c2',
      by: 7,
      commandId: 'c2',
      data: { text: 'two' },
    });
    // An append whose answer was lost, sent again by whoever has not seen the event.
    const again = await send(log, { workshopId, base: 1 }, command({ by: 7, commandId: 'c2' }));
    expect(as('done', again).commands).toMatchObject([{ index: 0, version: 2 }]);
    expect(await send(log, { workshopId, base: 1 }, command({ by: 8, commandId: 'c2' }))).toMatchObject({
      kind: 'appended',
      from: 3,
      missing: [event],
    });
    await appendFields(...turned('c4', 'four'));
    const last = { version: 4, epoch };
    expect(await log.streams.remove(workshopId, { ...last, eventId: 'event of c2' })).toBe(false);
    expect(await log.streams.remove(workshopId, { ...last, eventId: 'event of c4' })).toBe(true);
  });

  test('[L18] keeps what is not known of it when it is written anew', async () => {
    await fill(log, workshopId, 1);
    await appendFields(...turned('c2', 'secret'));
    await appendFields(...turned('c3', 'stays'));
    const before = await client.xrange(stream, '-', '+');
    const rewriting = ({ data }: RecordedEvent) =>
      (data as { text: string }).text === 'secret' ? { text: null } : data;
    expect(await log.streams.rewrite(workshopId, rewriting)).toBe(1);
    const after = before.map(([id, fields]) => [
      id,
      fields.map((value) => (value === '{"text":"secret"}' ? '{"text":null}' : value)),
    ]);
    expect(await client.xrange(stream, '-', '+')).toEqual(after);
    expect(after).not.toEqual(before);
  });
});

describe('an entry of a feed that another version wrote', () => {
  test('[L18] is handed out in its place among the others', async () => {
    const { epoch, at } = await fill(log, workshopId, 2);
    const tail = await follow(log, 0, 0);
    const names = ['each', 'trace event type schema by command data'];
    const head = ['v', 3, 'at', at, 'shard', 'x', 'e', epoch, 'w', workshopId, 'events', 2];
    const event = (n: number) => ['t', `e${n}`, 'chat-message', 1, 7, `c${n}`, `{"n":${n}}`];
    await addToFeed(...names, ...head, ...event(3), ...event(4));
    await client.hset(meta, 'version', 4);
    await fill(log, workshopId, 1);
    expect(await tail.came(5)).toEqual([1, 2, 3, 4, 5].map((version) => `${workshopId}:${version}`));
    expect(tail.batches.every(({ gap }) => !gap)).toBe(true);
    const entries = tail.batches.flatMap((batch) => batch.entries);
    expect(entries[1]?.epoch).toBe(epoch);
    expect(entries[1]?.events()[1]).toEqual({
      ...{
        version: 4,
        at,
        eventId: 'e4',
        type: 'chat-message',
        schema: 1,
        by: 7,
        commandId: 'c4',
        data: { n: 4 },
      },
    });
    await tail.close();
  });

  test('[L18] in a form that is not known is told as a gap, with the reason, and what follows is handed out', async () => {
    await fill(log, workshopId, 1);
    const batches: TailBatch[] = [];
    const errors: unknown[] = [];
    const tail = log.feed.tail({
      from: new Map([[0, 0]]),
      onBatch: (batch) => void batches.push(batch),
      onError: (error) => void errors.push(error),
    });
    await until(() => batches.length === 1, { what: 'the first batch' });
    await addToFeed('x', 'y');
    await until(() => batches.length === 2, { what: 'the gap' });
    await fill(log, workshopId, 1);
    await until(() => batches.length === 3, { what: 'what follows' });
    expect(batches.map(({ gap }) => gap)).toEqual([false, true, false]);
    expect(versions(batches[2]?.entries[0]?.events() ?? [])).toEqual([2]);
    expect(errors).toEqual([expect.any(SyntaxError)]);
    await tail.close();
  });
});

async function* pages(events: readonly RecordedEvent[]): AsyncGenerator<readonly RecordedEvent[]> {
  yield events;
}

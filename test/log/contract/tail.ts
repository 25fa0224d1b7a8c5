/** Following the feed: everything, once, in order. */
import { expect, test } from 'vitest';
import type { TailBatch } from '../../../src/log/log.ts';
import { until } from '../../kit/until.ts';
import type { Stage } from '../contract.ts';
import { command, draft, fill, follow, sent } from '../drafts.ts';

const workshopId = 71;

export function tailTests(stage: Stage): void {
  test("from 'end' comes what is appended afterwards, with its events as they are read", async () => {
    const { log } = stage;
    await fill(log, workshopId, 2);
    const tail = await follow(log, log.partitionOf(workshopId), 'end');
    const { epoch } = await sent(
      log,
      { workshopId, base: 2 },
      command({ events: [draft(), draft([], { n: 'ü' })] }),
    );
    await tail.came(2);
    const [entry] = tail.batches.flatMap(({ entries }) => entries);
    expect([entry?.workshopId, entry?.from, entry?.to, entry?.epoch]).toEqual([workshopId, 3, 4, epoch]);
    expect(entry?.events()).toEqual(await log.events.read(workshopId, 2, 10));
    await tail.close();
  });

  test('a tail that goes on from a cursor gets exactly what came after it', async () => {
    const { log } = stage;
    const partition = log.partitionOf(workshopId);
    const first = await follow(log, partition, 0, 2);
    for (let count = 0; count < 5; count += 1) await fill(log, workshopId, 1);
    await first.came(5);
    await first.close();
    const middle = first.batches[0]?.cursor ?? -1;
    const seen = first.batches[0]?.entries.length ?? 0;
    for (let count = 0; count < 3; count += 1) await fill(log, workshopId, 1);

    const fromMiddle = await follow(log, partition, middle);
    const rest = await fromMiddle.came(8 - seen);
    expect(rest).toEqual(Array.from({ length: 8 - seen }, (_, index) => `${workshopId}:${index + 1 + seen}`));
    await fromMiddle.close();

    const fromLast = await follow(log, partition, first.cursor());
    expect(await fromLast.came(3)).toEqual([6, 7, 8].map((version) => `${workshopId}:${version}`));
    await fromLast.close();
  });

  test('batches hold no more than asked for, and the next one waits for the one before', async () => {
    const { log } = stage;
    for (let count = 0; count < 7; count += 1) await fill(log, workshopId, 1);
    const sizes: number[] = [];
    let running = 0;
    const tail = log.feed.tail({
      from: new Map([[log.partitionOf(workshopId), 0]]),
      limit: 3,
      onError: (error) => expect.unreachable(String(error)),
      async onBatch(batch: TailBatch) {
        running += 1;
        expect(running).toBe(1);
        await new Promise((resolve) => setTimeout(resolve, 5));
        sizes.push(batch.entries.length);
        running -= 1;
      },
    });
    await until(() => sizes.reduce((sum, size) => sum + size, 0) === 7, { what: 'all seven entries' });
    expect(sizes).toEqual([3, 3, 1]);
    await tail.close();
  });

  test('under concurrent writing two tails see every event once, in the same order', async () => {
    const { log } = stage;
    const other = await stage.second();
    const partition = log.partitionOf(workshopId);
    const workshops = [0, 1, 2].map((index) => workshopId + index * log.partitions);
    const early = await follow(log, partition, 0);
    const late = follow(other, partition, 'end', 3);
    const write = async (id: number) => {
      for (let count = 0; count < 30; count += 1)
        await fill(id === workshopId ? other : log, id, 1 + (count % 3));
    };
    const writing = Promise.all(workshops.map(write));
    const from = await late;
    await writing;
    const everything = await early.came(180);
    // The late one began somewhere; from there on it must be the same.
    const last = everything.length;
    await until(() => from.events().at(-1) === everything[last - 1], {
      what: 'the late tail to reach the end',
    });
    expect(from.events()).toEqual(everything.slice(last - from.events().length));
    for (const id of workshops) {
      const own = everything.filter((each) => each.startsWith(`${id}:`));
      expect(own).toEqual(Array.from({ length: 60 }, (_, index) => `${id}:${index + 1}`));
    }
    expect(everything).toHaveLength(180);
    await early.close();
    await from.close();
  });

  test('a burst of appends to many workshops comes through whole, each event once', async () => {
    const { log } = stage;
    const tail = await follow(log, log.partitionOf(workshopId), 'end');
    await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        sent(log, { workshopId: workshopId + index * log.partitions }, command()),
      ),
    );
    expect(new Set(await tail.came(50)).size).toBe(50);
    await tail.close();
    expect(tail.events()).toHaveLength(50);
  });

  test('after it was closed nothing is handed out any more', async () => {
    const { log } = stage;
    const tail = await follow(log, log.partitionOf(workshopId), 'end');
    const witness = await follow(log, log.partitionOf(workshopId), 'end');
    await fill(log, workshopId, 1);
    await tail.came(1);
    await tail.close();
    await fill(log, workshopId, 1);
    await witness.came(2);
    expect(tail.events()).toEqual([`${workshopId}:1`]);
    await witness.close();
  });

  test('closing waits for the batch that is under way', async () => {
    const { log } = stage;
    let began = false;
    let ended = false;
    const tail = log.feed.tail({
      from: new Map([[log.partitionOf(workshopId), 'end']]),
      onError: (error) => expect.unreachable(String(error)),
      async onBatch() {
        began = true;
        await new Promise((resolve) => setTimeout(resolve, 50));
        ended = true;
      },
    });
    await tail.ready;
    await fill(log, workshopId, 1);
    await until(() => began, { what: 'the batch to begin' });
    await tail.close();
    expect(ended).toBe(true);
  });

  test('a cursor beyond the end of the feed is told as a gap, and the tail goes on from the end', async () => {
    const { log } = stage;
    await fill(log, workshopId, 1);
    const tail = await follow(log, log.partitionOf(workshopId), 2 ** 50);
    await until(() => tail.batches.length > 0, { what: 'the gap to be told' });
    expect(tail.batches).toEqual([
      { partition: log.partitionOf(workshopId), entries: [], cursor: expect.any(Number), gap: true },
    ]);
    await fill(log, workshopId, 1);
    expect(await tail.came(1)).toEqual([`${workshopId}:2`]);
    await tail.close();
  });
}

/** A workshop that has left the log, on a node that has answered for it and is asked by nobody while it comes back and goes again. */
import { expect, it } from 'vitest';
import { redactedData } from '../../src/domain/erasing.ts';
import type { RecordedEvent } from '../../src/domain/evolve.ts';
import { workshopEngine } from '../../src/engine/engine.ts';
import { sharedRedis } from '../kit/shared.ts';
import { until } from '../kit/until.ts';
import { host, liveWorkshop, ok, send, startNode, user } from './nodes.ts';

it('[Z7] what is taken back on another node is gone here too', async () => {
  const url = await sharedRedis();
  const [acting, looking] = [await startNode(url, 'acts'), await startNode(url, 'looks')];
  let kept: RecordedEvent[] = [];
  const archive = {
    read: async (_: number, after: number, limit: number) => kept.slice(after, after + limit),
  };
  const engine = workshopEngine({ log: looking.log, node: 'looks', archive });
  const { log } = acting;
  const workshopId = await liveWorkshop(acting, [2]);
  let followed = 0;
  const tail = looking.log.feed.tail({
    from: new Map([[log.partitionOf(workshopId), 'end']]),
    onBatch({ entries }) {
      for (const entry of entries) engine.follow(entry);
      followed += entries.length;
    },
    onError: () => undefined,
  });

  async function archived(deleted?: number): Promise<void> {
    const head = await log.events.head(workshopId);
    kept = (await log.events.read(workshopId, 0, 100)).map((event) =>
      event.version === deleted ? { ...event, data: redactedData(event) } : event,
    );
    const last = { version: kept.length, epoch: head?.epoch ?? '', eventId: kept.at(-1)?.eventId ?? '' };
    expect(await log.streams.remove(workshopId, last)).toBe(true);
  }

  try {
    await tail.ready;
    const { version } = await ok(send(acting, workshopId, user(2), 'chat', { message: 'regretted' }));
    await ok(send(acting, workshopId, host, 'end', {}));
    await archived();
    expect((await engine.room(workshopId))?.room.deleted.has(version)).toBe(false);
    const before = followed;
    await log.streams.refill(workshopId, pages(kept));
    await ok(send(acting, workshopId, host, 'withdraw-message', { messageId: version }));
    await until(() => followed > before, { what: 'the deletion to be in the feed' });
    await archived(version);
    expect((await engine.room(workshopId))?.room.deleted.has(version)).toBe(true);
  } finally {
    await tail.close();
    await engine.close();
    for (const node of [acting, looking]) await node.close();
  }
});

async function* pages(events: RecordedEvent[]): AsyncGenerator<RecordedEvent[]> {
  yield events;
}

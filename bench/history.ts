/**
 * The room at a random version of workshops of several lengths, from the log and from kept events, with snapshots and without,
 * beside folding such a workshop as a whole in the same round.
 */

import { openDatabase } from '../projections/database/open.ts';
import { eventRow } from '../projections/events/projection.ts';
import { storedEvents } from '../projections/events/queries.ts';
import { events as table } from '../projections/events/schema.ts';
import { roomSnapshots } from '../projections/snapshots/snapshots.ts';
import { writeSnapshots } from '../projections/snapshots/write.ts';
import type { RecordedEvent } from '../src/domain/evolve.ts';
import { evolveAll } from '../src/domain/evolve.ts';
import { emptyRoom } from '../src/domain/room.ts';
import { type OpenHistory, workshopHistory } from '../src/history/history.ts';
import { type PastSnapshots, roomAt } from '../src/history/stateAt.ts';
import { redisLog } from '../src/log/redis/log.ts';
import { stateView } from '../src/protocol/wire.ts';
import { startPostgres } from '../test/kit/postgres.ts';
import { startRedis } from '../test/kit/redis.ts';
import { workshop } from './fold.ts';
import { collecting, type Figure, quantile } from './measure.ts';

const lengths = [1_000, 10_000, 100_000];
/** States asked for in a round, one after the other. */
const asked = { withSnapshots: 200, without: 10 };

export async function history(rounds: number): Promise<Figure[]> {
  const redis = await startRedis({ appendfsync: 'everysec' });
  const server = await startPostgres();
  const log = await redisLog({ address: { url: redis.url }, onError: console.error });
  const database = openDatabase({ url: await server.createDatabase() }, { onError: console.error });
  const { add, all } = collecting();
  try {
    await database.ready;
    const snapshots = roomSnapshots(database);
    const kept = storedEvents(database);
    const sources: { name: string; length: number; history: OpenHistory }[] = [];
    for (const [id, length] of [...lengths.entries()].map(
      ([index, length]) => [index + 1, length] as const,
    )) {
      const events = workshop(length);
      await log.streams.refill(id, pagesOf(events));
      for await (const page of pagesOf(events))
        await database.drizzle.insert(table).values(page.map((event) => eventRow(id, event)));
      const logged = workshopHistory(log.events, kept);
      const archived = workshopHistory({ ...log.events, head: async () => null }, kept);
      await writeSnapshots(id, { histories: logged, snapshots });
      for (const [name, source] of [
        ['log', logged],
        ['kept', archived],
      ] as const) {
        const history = await source.open(id);
        if (history !== undefined) sources.push({ name, length, history });
      }
    }
    for (let round = 0; round < rounds; round++) {
      for (const { name, length, history } of sources) {
        const what = `${length.toLocaleString('en')} events, ${name}`;
        const whole = `whole fold, ${what}`;
        const fold = await timed(() => roomAt(history, { version: length }));
        add(whole, 'ms', fold);
        add(`replay, ${what}`, 'events/s', length / (fold / 1_000));
        for (const [how, given] of [
          ['without', undefined],
          ['with', snapshots],
        ] as const) {
          const times = await stateTimes(history, given);
          add(`state p50, ${what}, ${how} snapshots`, 'ms', quantile(times, 0.5), whole);
          add(`state p99, ${what}, ${how} snapshots`, 'ms', quantile(times, 0.99), whole);
        }
      }
      add('fold in memory, 100,000 events', 'events/s', 100_000 / ((await inMemory()) / 1_000));
    }
  } finally {
    await database.close();
    await log.close();
    await server.close();
    await redis.close();
  }
  return all();
}

/** Milliseconds of each state, from asking to the text of the answer, at random versions. */
async function stateTimes(history: OpenHistory, snapshots: PastSnapshots | undefined): Promise<number[]> {
  const times: number[] = [];
  for (let n = 0; n < (snapshots === undefined ? asked.without : asked.withSnapshots); n++) {
    const version = 1 + Math.floor(Math.random() * history.version);
    times.push(
      await timed(async () => {
        const room = await roomAt(history, { version }, { snapshots });
        JSON.stringify(stateView(room, history.epoch, Number.POSITIVE_INFINITY));
      }),
    );
  }
  return times;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

function inMemory(): Promise<number> {
  const events = workshop(100_000);
  return timed(async () => evolveAll(emptyRoom(1), events));
}

async function* pagesOf(events: readonly RecordedEvent[]): AsyncGenerator<RecordedEvent[]> {
  for (let first = 0; first < events.length; first += 1_000) yield events.slice(first, first + 1_000);
}

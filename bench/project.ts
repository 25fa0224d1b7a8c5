/** The projector catching up with a log on Redis, beside writing the same events with one bare statement a thousand. */
import postgres from 'postgres';
import { arrayText } from '../projections/database/encoding.ts';
import { openDatabase } from '../projections/database/open.ts';
import { type Projector, projector } from '../projections/worker/projector.ts';
import { workshopEngine } from '../src/engine/engine.ts';
import { redisLog } from '../src/log/redis/log.ts';
import { startPostgres } from '../test/kit/postgres.ts';
import { startRedis } from '../test/kit/redis.ts';
import { type Figure, throughput } from './measure.ts';
import { message, openRooms, person } from './people.ts';

const rooms = 50;
const members = 20;
const chats = 100_000;

export async function project(rounds: number): Promise<Figure[]> {
  const redis = await startRedis({ appendfsync: 'everysec' });
  const server = await startPostgres();
  // The feeds keep all of it: what is measured is folding and writing.
  const log = await redisLog({ address: { url: redis.url }, feedLength: 1_000_000, onError: console.error });
  const engine = workshopEngine({ log, node: 'bench' });
  const bare: Figure = { name: 'bare rows, 1,000 a statement', unit: 'events/s', values: [] };
  const projected: Figure = {
    name: 'projector, all tables',
    unit: 'events/s',
    values: [],
    beside: bare.name,
  };
  try {
    const ids = await openRooms({ log, engine }, { rooms, members, joined: true });
    await throughput(chats, 512, (n) =>
      engine.handle({
        workshopId: ids[n % rooms] ?? 0,
        name: 'chat',
        payload: { message },
        actor: person(2 + (n % members)),
      }),
    );
    const heads = await Promise.all(ids.map((id) => log.events.head(id)));
    const events = heads.reduce((sum, head) => sum + (head?.version ?? 0), 0);
    for (let round = 0; round < rounds; round++) {
      bare.values.push(await bareRows(await server.createDatabase(), events));
      projected.values.push(await catchUp(await server.createDatabase(), events));
    }
  } finally {
    await engine.close();
    await log.close();
    await server.close();
    await redis.close();
  }
  return [bare, projected];

  async function catchUp(url: string, events: number): Promise<number> {
    const database = await openDatabase({ url }, { onError: console.error });
    await database.ready;
    let done = 0;
    let running: Projector | undefined;
    const began = performance.now();
    await new Promise<void>((resolve, reject) => {
      running = projector({
        ...{ log, database, node: 'bench' },
        onEvent(event) {
          if (event.type === 'error') reject(event.error);
          if (event.type !== 'committed') return;
          done += event.events;
          if (done >= events) resolve();
        },
      });
    });
    const seconds = (performance.now() - began) / 1_000;
    await running?.close();
    await database.close();
    return events / seconds;
  }
}

/** Chat rows alone, from arrays that are there already. */
async function bareRows(url: string, events: number): Promise<number> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    await sql`create table bare (workshop_id bigint, id bigint, user_id bigint, message text, primary key (workshop_id, id))`;
    const began = performance.now();
    for (let first = 0; first < events; first += 1_000) {
      const count = Math.min(1_000, events - first);
      const column = (value: (n: number) => string | number) =>
        arrayText(Array.from({ length: count }, (_, n) => value(first + n)));
      await sql.unsafe(
        'insert into bare select * from unnest($1::text::bigint[], $2::text::bigint[], $3::text::bigint[], $4::text::text[])',
        [column((n) => n % rooms), column((n) => n), column((n) => n % members), column(() => message)],
        { prepare: true },
      );
    }
    return events / ((performance.now() - began) / 1_000);
  } finally {
    await sql.end();
  }
}

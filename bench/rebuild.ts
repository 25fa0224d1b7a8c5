/** All tables folded anew beside those that are read, beside COPY of the same rows, which are lines already. */
import { getTableName } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';
import { attendees } from '../projections/attendees/schema.ts';
import { chatMessages } from '../projections/chat/schema.ts';
import { namedColumns } from '../projections/database/columns.ts';
import type { Database } from '../projections/database/database.ts';
import { copyLines, quoted, sentColumns } from '../projections/database/encoding.ts';
import { openDatabase } from '../projections/database/open.ts';
import { events } from '../projections/events/schema.ts';
import { rebuildsLeft, requestRebuild } from '../projections/rebuild/request.ts';
import { nextAttendees, nextChat, nextEvents, nextWorkshops } from '../projections/rebuild/schema.ts';
import { projector } from '../projections/worker/projector.ts';
import { eventsBehind } from '../projections/worker/status.ts';
import { workshops } from '../projections/workshops/schema.ts';
import { workshopEngine } from '../src/engine/engine.ts';
import { redisLog } from '../src/log/redis/log.ts';
import { startPostgres } from '../test/kit/postgres.ts';
import { startRedis } from '../test/kit/redis.ts';
import { until } from '../test/kit/until.ts';
import { type Figure, throughput } from './measure.ts';
import { message, openRooms, person } from './people.ts';

const rooms = 50;
const members = 20;
const chats = 100_000;
const chunkRows = 20_000;
const tables: [PgTable, PgTable][] = [
  [workshops, nextWorkshops],
  [attendees, nextAttendees],
  [chatMessages, nextChat],
  [events, nextEvents],
];

export async function rebuild(rounds: number): Promise<Figure[]> {
  const redis = await startRedis({ appendfsync: 'everysec' });
  const server = await startPostgres();
  const log = await redisLog({ address: { url: redis.url }, feedLength: 1_000_000, onError: console.error });
  const engine = workshopEngine({ log, node: 'bench' });
  const database = openDatabase({ url: await server.createDatabase() }, { onError: console.error });
  const bare: Figure = { name: 'COPY of the same rows', unit: 'events/s', values: [] };
  const figure = (name: string): Figure => ({ name, unit: 'events/s', values: [], beside: bare.name });
  const same = figure('rebuild, the tables are right');
  const other = figure('rebuild, every message differs');
  try {
    await database.ready;
    const ids = await openRooms({ log, engine }, { rooms, members, joined: true });
    await throughput(chats, 512, (n) =>
      engine.handle({
        workshopId: ids[n % rooms] ?? 0,
        name: 'chat',
        payload: { message },
        actor: person(2 + (n % members)),
      }),
    );
    // It looks for what is asked for three times in its lease.
    const running = projector({ log, database, node: 'bench', leaseMs: 600 });
    await until(async () => (await eventsBehind(database, log)) === 0, {
      what: 'the tables',
      timeout: 600_000,
    });
    const [counted] = await database.query('select count(*) as count from workshop_events', []);
    const count = Number(counted?.count);
    const lines = await linesOf(database);
    for (let round = 0; round < rounds; round++) {
      bare.values.push(count / (await copied(database, lines)));
      same.values.push(count / (await rebuilt(database)));
      await database.query(`update workshop_chat_messages set display_name = display_name || 'x'`, []);
      other.values.push(count / (await rebuilt(database)));
    }
    await running.close();
  } finally {
    await database.close();
    await engine.close();
    await log.close();
    await server.close();
    await redis.close();
  }
  return [bare, same, other];
}

/** Seconds from asking to the last partition switched over. */
async function rebuilt(database: Database): Promise<number> {
  const began = performance.now();
  await requestRebuild(database);
  await until(async () => (await rebuildsLeft(database)) === 0, { what: 'the rebuild', timeout: 600_000 });
  return (performance.now() - began) / 1_000;
}

interface Lines {
  table: PgTable;
  /** Chunks of them. */
  lines: string[];
}

async function linesOf(database: Database): Promise<Lines[]> {
  const all: Lines[] = [];
  for (const [table, next] of tables) {
    const rows = await database.query(`select ${namedColumns(table)} from ${getTableName(table)}`, []);
    const lines: string[] = [];
    for (let from = 0; from < rows.length; from += chunkRows) {
      const some = rows.slice(from, from + chunkRows).map((row) => ({ ...row, chunk: 1 }));
      lines.push(copyLines(sentColumns(next), some));
    }
    all.push({ table: next, lines });
  }
  return all;
}

/** Seconds that it takes to copy them into tables like those of a rebuild. */
async function copied(database: Database, all: readonly Lines[]): Promise<number> {
  for (const { table } of all) {
    const name = getTableName(table);
    await database.query(`drop table if exists bare_${name}`, []);
    await database.query(`create table bare_${name} (like ${name} including all)`, []);
  }
  const began = performance.now();
  for (const { table, lines } of all)
    for (const each of lines) {
      const columns = sentColumns(table).map(({ name }) => quoted(name));
      const into = `bare_${getTableName(table)} (${columns.join(', ')})`;
      await database.copy({ into, lines: each, check: 'select 1', parameters: [] });
    }
  return (performance.now() - began) / 1_000;
}

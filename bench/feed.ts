/** The feed of all workshops read page by page as lines, beside the same rows read in pages by key and turned into JSON with nothing else. */
import postgres from 'postgres';
import { openDatabase } from '../projections/database/open.ts';
import { feedPage } from '../projections/feed/queries.ts';
import { feedLine } from '../src/api/feed.ts';
import { startPostgres } from '../test/kit/postgres.ts';
import type { Figure } from './measure.ts';

const workshops = 500;
const perWorkshop = 400;
const limit = 1_000;

export async function feed(rounds: number): Promise<Figure[]> {
  const server = await startPostgres();
  const url = await server.createDatabase();
  const database = await openDatabase({ url }, { onError: console.error });
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  const bare: Figure = { name: 'rows in pages by key, as JSON', unit: 'events/s', values: [] };
  const read: Figure = { name: 'feed, as lines', unit: 'events/s', values: [], beside: bare.name };
  try {
    await database.ready;
    // As they come from rooms that are live together: a few events of each at a time.
    for (let from = 1; from <= perWorkshop; from += 4)
      await sql.unsafe(
        `insert into workshop_events (workshop_id, version, event_id, type, schema, at, by, command_id, data)
         select w, v, 'event-' || w || '-' || v, 'chat-message', 1, now(), '7', 'command-' || w || '-' || v,
           jsonb_build_object('userId', 7, 'displayName', 'Ada', 'avatarUrl', null, 'message', repeat('about bread ', 6))
         from generate_series(1, ${workshops}) w, generate_series(${from}, ${from + 3}) v`,
      );
    await sql.unsafe('analyze');
    const events = workshops * perWorkshop;
    for (let round = 0; round < rounds; round++) {
      bare.values.push(await speed(events, () => bareLines(sql)));
      read.values.push(await speed(events, () => feedLines(database)));
    }
  } finally {
    await sql.end();
    await database.close();
    await server.close();
  }
  return [bare, read];
}

async function speed(events: number, lines: () => AsyncIterable<string>): Promise<number> {
  const began = performance.now();
  let count = 0;
  for await (const line of lines()) if (line.length > 0) count++;
  if (count !== events) throw new Error(`${count} of ${events} events were read`);
  return events / ((performance.now() - began) / 1_000);
}

async function* feedLines(database: Parameters<typeof feedPage>[0]): AsyncGenerator<string> {
  for (let after: string | undefined; ; ) {
    const page = await feedPage(database, 'bench', { after, limit });
    if (page.events.length === 0) return;
    for (const event of page.events) yield feedLine(event);
    after = page.nextCursor;
  }
}

async function* bareLines(sql: postgres.Sql): AsyncGenerator<string> {
  for (let [id, version] = [0, 0]; ; ) {
    const rows = await sql`select * from workshop_events where (workshop_id, version) > (${id}, ${version})
      order by workshop_id, version limit ${limit}`;
    const last = rows.at(-1);
    if (last === undefined) return;
    for (const row of rows) yield `${JSON.stringify(row)}\n`;
    [id, version] = [Number(last.workshop_id), Number(last.version)];
  }
}

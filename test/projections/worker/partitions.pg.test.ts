/** What a partition asks of a database with many workshops of others: its own, and nothing that grows with the rest. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../../projections/database/database.ts';
import { inPartition, workshopsIn } from '../../../projections/database/partition.ts';
import { differing } from '../../../projections/worker/compare.ts';
import { putBackMissing } from '../../../projections/worker/missing.ts';
import { arrayLog } from '../arrayLog.ts';
import { databases, type FreshDatabase } from '../databases.ts';
import { event, scheduledEvent } from '../story.ts';

const [{ open }] = databases;
/** As many as a log has that is begun as usual. */
const partitions = 64;
const count = 20_000;
const at = Date.parse('2026-05-01T09:00:00Z');

let fresh: FreshDatabase;
let database: Database;
beforeAll(async () => {
  fresh = await open();
  ({ database } = fresh);
  await database.query(
    `insert into workshops (id, host_id, title, visibility, status, scheduled_at, created_at, version, epoch)
     select id, 1, 'Many', 'public', case when id % 3 = 0 then 'scheduled' else 'ended' end, now(), now(), 2, 'first'
     from generate_series(1, ${count}) as id`,
    [],
  );
  await database.query(
    `insert into workshop_events (workshop_id, version, event_id, type, schema, at, by, command_id, data)
     select id, version, id || '.' || version, 'user-muted', 1, now(), '1', '', '{}'
     from generate_series(1, ${count}) as id, generate_series(1, 2) as version where id % 5 > 0`,
    [],
  );
  await database.query('analyze workshops, workshop_events', []);
});
afterAll(() => fresh.close());

/** The plans of what `work` asked, as text. */
async function plansOf(work: (watched: Database) => Promise<unknown>): Promise<string[]> {
  const asked: [string, Parameters<Database['query']>[1]][] = [];
  await work({
    ...database,
    query(text, parameters) {
      asked.push([text, parameters]);
      return database.query(text, parameters);
    },
  });
  return Promise.all(
    asked.map(async ([text, parameters]) =>
      JSON.stringify(await database.query(`explain ${text}`, parameters)),
    ),
  );
}

const noneOf = { signal: new AbortController().signal, onError: () => undefined };

describe('a partition of a log that has many', () => {
  it('[G3] looks at no workshop of another one, at its start and at a gap', async () => {
    const log = arrayLog(partitions);
    for (const deep of [false, true])
      for (const plan of await plansOf((watched) => differing(watched, log, 7, deep)))
        expect(plan).not.toContain('Seq Scan');
    for (const plan of await plansOf((watched) =>
      putBackMissing({ database: watched, log, partition: 7, ...noneOf }),
    ))
      expect(plan).not.toContain('Seq Scan');
  });

  it('[G3] finds its own, whatever their number is', async () => {
    for (const [many, partition] of [
      [64, 0],
      [64, 63],
      [7, 3],
      [1, 0],
    ] as const) {
      const own = Array.from({ length: count }, (_, n) => n + 1).filter((id) => id % many === partition);
      const log = { partitions: many };
      const rows = await database.query(
        `select id from workshops where ${inPartition('id', log, partition)} order by id`,
        [],
      );
      expect(rows.map(({ id }) => Number(id))).toEqual(own);
      expect(await workshopsIn(database, 'workshop_events', log, partition)).toEqual(
        own.filter((id) => id % 5 > 0),
      );
    }
    expect(await workshopsIn(database, 'workshop_chat_messages', { partitions }, 3)).toEqual([]);
  });

  it('[G3] asks the log for one list, and for no version where ids are enough', async () => {
    const log = arrayLog(partitions);
    log.append(7, [scheduledEvent(at), event('state-changed', { status: 'live' }, at)]);
    const asked: string[] = [];
    const watched: typeof log = {
      ...log,
      streams: {
        ...log.streams,
        ids(partition) {
          asked.push('ids');
          return log.streams.ids(partition);
        },
        open(partition) {
          asked.push('versions');
          return log.streams.open(partition);
        },
      },
    };
    await putBackMissing({ database, log: watched, partition: 7, ...noneOf });
    expect(asked).toEqual(['ids']);
  });
});

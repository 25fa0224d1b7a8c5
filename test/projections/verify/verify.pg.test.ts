/** `verify` against tables that someone changed, and against tables that are right. */
import { type Column, getTableColumns, getTableName } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { attendees } from '../../../projections/attendees/schema.ts';
import { chatMessages } from '../../../projections/chat/schema.ts';
import type { Database } from '../../../projections/database/database.ts';
import { events } from '../../../projections/events/schema.ts';
import { skipParked } from '../../../projections/parked/skip.ts';
import type { Finding, Summary } from '../../../projections/verify/findings.ts';
import { type Verifying, verify } from '../../../projections/verify/verify.ts';
import { listParked } from '../../../projections/worker/status.ts';
import { foldedVersion } from '../../../projections/workshops/queries.ts';
import { workshops } from '../../../projections/workshops/schema.ts';
import { until } from '../../kit/until.ts';
import { type ArrayLog, arrayLog } from '../arrayLog.ts';
import { databases } from '../databases.ts';
import { projecting } from '../projecting.ts';
import { event, story } from '../story.ts';

const at = Date.parse('2026-05-01T09:00:00.123Z');
const tables: PgTable[] = [workshops, attendees, chatMessages, events];

/** Another value for a column, as Postgres writes it. */
function changed(name: string, type: string): string {
  const column = `"${name}"`;
  if (type === 'boolean') return `not ${column}`;
  if (type === 'text') return `coalesce(${column}, '') || 'x'`;
  if (type === 'jsonb') return `${column} || '{"more": 1}'`;
  if (type === 'timestamptz') return `coalesce(${column}, now()) + interval '1 millisecond'`;
  return `coalesce(${column}, 0) + 1000000`;
}

const everyColumn = tables.flatMap((table) =>
  Object.values<Column>(getTableColumns(table)).map((column): [string, string, string] => [
    getTableName(table),
    column.name,
    column.getSQLType(),
  ]),
);
const rowKeys: Record<string, string[]> = {
  workshops: ['id'],
  workshop_attendees: ['workshop_id', 'user_id'],
  workshop_chat_messages: ['workshop_id', 'id'],
  workshop_events: ['workshop_id', 'version'],
};

describe.each(databases)('on $kind', ({ open }) => {
  let log: ArrayLog;
  let database: Database;
  const here = projecting(open);
  const { reached, nextId } = here;
  beforeAll(() => {
    database = here.database;
  });

  const project = (onto = log) => here.project({ log: onto, batchSize: 50 });

  /** A log and its tables, in a database that holds nothing else. */
  async function begin(): Promise<void> {
    await here.clear(
      ...Object.keys(rowKeys),
      ...['projection_checkpoints', 'projection_parked', 'projection_skipped'],
    );
    log = arrayLog(2);
  }

  async function verified(
    options: Partial<Verifying> = {},
  ): Promise<{ findings: Finding[]; summary: Summary | undefined }> {
    const findings: Finding[] = [];
    let summary: Summary | undefined;
    for await (const told of verify({ database, log, patienceMs: 300, ...options })) {
      if (told.kind === 'summary') summary = told;
      else if (told.kind !== 'progress') findings.push(told);
    }
    return { findings, summary };
  }

  describe('tables that someone changed', () => {
    let id: number;

    beforeAll(async () => {
      await begin();
      id = nextId();
      const appends = story(91, 150);
      for (const each of appends) log.append(id, each);
      project();
      await reached(id, appends.flat().length);
      await here.stop();
      expect(await verified()).toMatchObject({ findings: [], summary: { workshops: 1, differences: 0 } });
    }, 60_000);

    /** A row from the middle of the table, with a text that is not deleted where there is one. */
    async function pick(table: string): Promise<string> {
      const shown =
        table === 'workshop_chat_messages'
          ? 'where message is not null'
          : table === 'workshop_events'
            ? `where type = 'chat-message' and not data ? 'deleted'`
            : '';
      const keys = rowKeys[table]?.join(', ');
      const [row] = await database.query(
        `select to_jsonb(t)::text as row from ${table} t ${shown} order by ${keys}
         offset (select count(*) / 2 from ${table} ${shown}) limit 1`,
        [],
      );
      return String(row?.row);
    }

    const where = (table: string) =>
      `(${rowKeys[table]?.join(', ')}) = (select ${rowKeys[table]?.join(', ')} from jsonb_populate_record(null::${table}, $1::text::jsonb))`;

    async function putBack(table: string, row: string): Promise<void> {
      await database.query(`delete from ${table} where ${where(table)}`, [row]);
      await database.query(
        `insert into ${table} select * from jsonb_populate_record(null::${table}, $1::text::jsonb)`,
        [row],
      );
    }

    it.each(everyColumn)('[J16] a changed %s.%s is found and named', async (table, column, type) => {
      const row = await pick(table);
      await database.query(
        `update ${table} set "${column}" = ${changed(column, type)} where ${where(table)}`,
        [row],
      );
      const { findings, summary } = await verified();
      // Put back before anything can fail, for those that follow.
      const isKey = rowKeys[table]?.includes(column);
      if (isKey) {
        const keys = rowKeys[table]?.map((key) =>
          key === column
            ? `"${key}" = (($1::text::jsonb ->> '${key}')::bigint + 1000000)`
            : `"${key}" = ($1::text::jsonb ->> '${key}')::bigint`,
        );
        await database.query(`delete from ${table} where ${keys?.join(' and ')}`, [row]);
      }
      await putBack(table, row);
      expect((summary?.differences ?? 0) + (summary?.faults ?? 0)).toBe(findings.length);
      if (isKey) {
        expect(findings).toHaveLength(2);
        expect(findings).toContainEqual(expect.objectContaining({ table, column: null, found: null }));
        // Events of a workshop that nobody knows are a history with a gap; any other row is too many.
        if (table === 'workshop_events' && column === 'workshop_id')
          expect(findings).toContainEqual(expect.objectContaining({ kind: 'log' }));
        else
          expect(findings).toContainEqual(expect.objectContaining({ table, column: null, expected: null }));
      } else {
        expect(findings).toMatchObject([{ kind: 'difference', table, column, workshopId: id }]);
      }
      expect((await verified()).findings).toEqual([]);
    });

    it.each(Object.keys(rowKeys))('[J16] a row of %s that is missing is found', async (table) => {
      const row = await pick(table);
      await database.query(`delete from ${table} where ${where(table)}`, [row]);
      const { findings } = await verified();
      await putBack(table, row);
      expect(findings).toMatchObject([{ kind: 'difference', table, column: null, found: null }]);
      expect((await verified()).findings).toEqual([]);
    });

    it.each(Object.keys(rowKeys))(
      '[J16] rows of %s of a workshop that exists nowhere else are found',
      async (table) => {
        const row = JSON.stringify({
          ...JSON.parse(await pick(table)),
          workshop_id: 4_711,
          ...(table === 'workshops' && { id: 4_711 }),
        });
        await database.query(
          `insert into ${table} select * from jsonb_populate_record(null::${table}, $1::text::jsonb)`,
          [row],
        );
        const { findings, summary } = await verified();
        const [one] = [await verified({ workshopId: 4_711 })];
        await database.query(`delete from ${table} where ${where(table)}`, [row]);
        expect(summary?.workshops).toBe(2);
        expect(findings.length).toBeGreaterThan(0);
        expect(one.findings).toEqual(findings);
        expect(findings.every(({ workshopId }) => workshopId === 4_711)).toBe(true);
      },
    );

    it('[J16] the last event may be the one that is missing, and one may follow on the last', async () => {
      const [last] = await database.query(
        'select to_jsonb(t)::text as row from workshop_events t where workshop_id = $1::bigint order by version desc limit 1',
        [id],
      );
      const row = String(last?.row);
      await database.query(`delete from workshop_events where ${where('workshop_events')}`, [row]);
      expect((await verified()).findings).toMatchObject([
        { table: 'workshop_events', column: null, found: null },
      ]);
      await putBack('workshop_events', row);
      const one = JSON.parse(row);
      const more = JSON.stringify({ ...one, version: one.version + 1, event_id: 'another' });
      await database.query(
        'insert into workshop_events select * from jsonb_populate_record(null::workshop_events, $1::text::jsonb)',
        [more],
      );
      const { findings } = await verified();
      await database.query(`delete from workshop_events where ${where('workshop_events')}`, [more]);
      expect(findings).toMatchObject([{ table: 'workshop_events', column: null, expected: null }]);
    });

    it('[J16] a deleted text that is there again is found, and not shown', async () => {
      const [gone] = await database.query(
        'select id from workshop_chat_messages where message is null order by id limit 1',
        [],
      );
      const key = Number(gone?.id);
      await database.query(`update workshop_chat_messages set message = 'secret' where id = $1::bigint`, [
        key,
      ]);
      await database.query(
        `update workshop_events set data = data - 'deleted' || '{"message": "secret"}' where version = $1::bigint`,
        [key],
      );
      const { findings } = await verified();
      await database.query('update workshop_chat_messages set message = null where id = $1::bigint', [key]);
      await database.query(
        `update workshop_events set data = data || '{"message": null, "deleted": true}' where version = $1::bigint`,
        [key],
      );
      expect(findings).toMatchObject([
        { table: 'workshop_chat_messages', column: 'message', expected: null },
        { table: 'workshop_events', column: 'data' },
      ]);
      expect(JSON.stringify(findings)).not.toContain('secret');
    });

    it('[J16] so many differences are told as a person reads, and all are counted', async () => {
      await database.query('update workshop_events set by = by || $1::text', ['7']);
      const { findings, summary } = await verified({ limit: 10 });
      await database.query('update workshop_events set by = left(by, -1)', []);
      expect(findings).toHaveLength(10);
      expect(summary?.differences).toBeGreaterThanOrEqual(150);
    });
  });

  it.each([92, 93, 94, 95])(
    '[J17] what the projector wrote is right, with a stream and without (seed %i)',
    async (seed) => {
      await begin();
      const ids = [nextId(), nextId(), nextId()];
      project();
      const stories = ids.map((_, index) => story(seed * 10 + index, 120));
      for (const [index, appends] of stories.entries())
        for (const each of appends) log.append(ids[index] ?? 0, each);
      for (const [index, appends] of stories.entries()) await reached(ids[index] ?? 0, appends.flat().length);
      log.archive(ids[1] ?? 0);
      const rows = stories.flat(2).length;
      const { findings, summary } = await verified();
      expect(findings).toEqual([]);
      expect(summary).toMatchObject({ workshops: 3, differences: 0, faults: 0, parked: 0, behind: 0 });
      expect(summary?.rows).toBeGreaterThan(rows);
      // Without a stream the other tables are held against what is kept.
      await database.query(
        'update workshop_attendees set present_ms = present_ms + 1 where workshop_id = $1::bigint',
        [ids[1] ?? 0],
      );
      expect((await verified({ workshopId: ids[1] ?? 0 })).summary?.differences).toBeGreaterThan(0);
    },
  );

  it('[J17] a workshop that goes on all the time is proven as it goes', async () => {
    await begin();
    const id = nextId();
    project();
    const appends = story(96, 400);
    let isOver = false;
    const appending = (async () => {
      for (const each of appends) {
        log.append(id, each);
        await new Promise((resolve) => setTimeout(resolve, 3));
      }
      isOver = true;
    })();
    await until(async () => (await foldedVersion(database, id)) > 20, {
      what: 'a beginning',
      timeout: 15_000,
    });
    let rounds = 0;
    for (; !isOver; rounds++) expect((await verified({ patienceMs: 10_000 })).findings).toEqual([]);
    await appending;
    expect(rounds).toBeGreaterThan(0);
  });

  it('[J17] a projector that is behind is waited for, and told as behind where none goes on', async () => {
    await begin();
    const id = nextId();
    const appends = story(97, 60).flat();
    log.append(id, appends);
    const alone = await verified();
    expect(alone.findings).toEqual([{ kind: 'behind', workshopId: id, version: appends.length, folded: 0 }]);
    const waiting = verified({ patienceMs: 15_000 });
    project();
    expect(await waiting).toMatchObject({ findings: [], summary: { behind: 0, differences: 0 } });
  });

  it('[J17] a parked workshop is told, and right up to there; an event that was given up is told and is right', async () => {
    await begin();
    const [parked, given, unreadable] = [nextId(), nextId(), nextId()];
    const scheduled = story(98, 1)[0]?.[0] ?? event('none', {}, at);
    const invited = (userId: number) => event('user-invited', { userId }, scheduled.at);
    const poison = event(
      'chat-message',
      { userId: 1, displayName: 'a\u0000b', avatarUrl: null, message: 'x' },
      scheduled.at,
    );
    for (const id of [parked, given]) log.append(id, [scheduled, invited(2), poison, invited(3), invited(4)]);
    log.append(unreadable, [scheduled, invited(2), invited(5), invited(3)]);
    log.breakEntry(unreadable, 3);
    project();
    await until(async () => (await listParked(database)).length === 3, {
      what: 'all to be parked',
      timeout: 15_000,
    });
    for (const id of [given, unreadable])
      await skipParked(database, log, { workshopId: id, version: 3, by: 'user 7' });
    const { findings, summary } = await verified();
    expect(findings).toEqual([
      { kind: 'parked', workshopId: parked, version: 3, reason: expect.stringMatching(/./) },
      { kind: 'skipped', workshopId: given, version: 3, by: 'user 7' },
      { kind: 'skipped', workshopId: unreadable, version: 3, by: 'user 7' },
    ]);
    expect(summary).toMatchObject({ differences: 0, faults: 0, parked: 1, behind: 0, skipped: 2 });
    // The place of such an event is held to what may stand there.
    await database.query(
      `update workshop_events set type = 'something' where version = 3 and workshop_id = $1::bigint`,
      [given],
    );
    expect((await verified()).summary?.differences).toBeGreaterThan(0);
  });

  it('[J18] a log with a gap, a time that falls or an id twice is told', async () => {
    await begin();
    const id = nextId();
    const scheduled = { ...(story(98, 1)[0]?.[0] ?? event('none', {}, at)), at };
    const invited = (userId: number, time = at) => event('user-invited', { userId }, time);
    const twice = invited(4);
    const appended = [
      scheduled,
      invited(2, at + 10),
      invited(3, at + 5),
      twice,
      { ...invited(5), eventId: twice.eventId, at: at + 20 },
    ];
    log.append(id, appended);
    project();
    await reached(id, 5);
    expect((await verified()).findings).toEqual([
      { kind: 'log', workshopId: id, version: 3, problem: 'it is older than the event that it follows on' },
      { kind: 'log', workshopId: id, version: 4, problem: 'it is older than the event that it follows on' },
      { kind: 'log', workshopId: id, version: 5, problem: expect.stringContaining(twice.eventId) },
    ]);
    const gapped: ArrayLog = {
      ...log,
      events: {
        ...log.events,
        read: async (...page) => (await log.events.read(...page)).filter(({ version }) => version !== 3),
      },
    };
    const { findings } = await verified({ log: gapped });
    expect(findings).toContainEqual({
      kind: 'log',
      workshopId: id,
      version: 4,
      problem: 'it follows on version 2',
    });
  });

  it('[J16] of a workshop that nothing is known of there is nothing to tell', async () => {
    await begin();
    expect(await verified({ workshopId: 999_999 })).toEqual({ findings: [], summary: undefined });
  });
});

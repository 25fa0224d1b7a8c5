/** What becomes of the tables when the database or its answers fail. Postgres alone: PGlite has no connections to lose. */
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Database } from '../../../projections/database/database.ts';
import { openDatabase } from '../../../projections/database/open.ts';
import { type Projector, type ProjectorEvent, projector } from '../../../projections/worker/projector.ts';
import { foldedVersion } from '../../../projections/workshops/queries.ts';
import { type PostgresServer, startPostgres } from '../../kit/postgres.ts';
import { until } from '../../kit/until.ts';
import { type ArrayLog, arrayLog } from '../arrayLog.ts';
import { expectedTables } from '../expected.ts';
import { isCommit } from '../projecting.ts';
import { story } from '../story.ts';
import { tablesOf as readTables } from '../tables.ts';

let server: PostgresServer;
let url: string;
let database: Database;
let running: Projector[] = [];
let seen: ProjectorEvent[] = [];

beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.close());
beforeEach(async () => {
  url = await server.createDatabase();
  database = await openDatabase({ url }, { onError: () => undefined });
  await database.ready;
});
afterEach(async () => {
  await Promise.all(running.map((each) => each.close()));
  await database.close();
  running = [];
  seen = [];
});

function project(log: ArrayLog, { on = database, node = 'a', batchSize = 5 } = {}): Projector {
  const onEvent = (each: ProjectorEvent) => seen.push(each);
  const started = projector({ log, database: on, node, batchSize, leaseMs: 600, onEvent });
  running.push(started);
  return started;
}

function reached(workshopId: number, version: number): Promise<unknown> {
  return until(async () => (await foldedVersion(database, workshopId)) === version, {
    what: `version ${version} of workshop ${workshopId}`,
    timeout: 15_000,
  });
}

/** A connection that was made while the server went down may say so only now. */
function tablesOf(database: Database, workshopId: number) {
  return until(() => readTables(database, workshopId), { what: 'the tables to be read' });
}

async function terminateAll(): Promise<void> {
  const sql = postgres(url, { max: 1 });
  await sql`
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()`;
  await sql.end();
}

/** The database with a fault in some of its commits; everything else passes. */
function faulty(
  fault: (commit: number, run: () => ReturnType<Database['query']>) => ReturnType<Database['query']>,
) {
  let commits = 0;
  const query: Database['query'] = (text, parameters) => {
    const run = () => database.query(text, parameters);
    return isCommit(text) ? fault(++commits, run) : run();
  };
  return { ...database, query };
}

const lost = () => Object.assign(new Error('the connection broke'), { code: 'CONNECTION_CLOSED' });

describe('commits', () => {
  const late: Promise<unknown>[] = [];
  it.each<[string, Parameters<typeof faulty>[0]]>([
    [
      'whose answer is lost',
      async (commit, run) => {
        await run();
        if (commit % 2 === 1) throw lost();
        return run();
      },
    ],
    ['that are lost on the way', (commit, run) => (commit % 2 === 1 ? Promise.reject(lost()) : run())],
    [
      'that arrive after they were given up',
      async (commit, run) => {
        if (commit % 2 === 0) return run();
        late.push(sleep(60).then(run));
        throw lost();
      },
    ],
  ])('%s take effect once', async (_, fault) => {
    const log = arrayLog();
    const events = story(71, 120);
    for (const each of events) log.append(1, each);
    project(log, { on: faulty(fault), batchSize: 20 });
    await reached(1, events.flat().length);
    await Promise.all(late.splice(0));
    expect(await tablesOf(database, 1)).toEqual(expectedTables(events.flat()));
    expect(seen.filter((each) => each.type === 'error').length).toBeGreaterThan(2);
    expect(seen.filter((each) => each.type === 'parked')).toEqual([]);
  });
});

it('a commit that arrives after later ones changes nothing', async () => {
  const log = arrayLog();
  const events = story(79, 120);
  const late: (() => ReturnType<Database['query']>)[] = [];
  const on = faulty(async (commit, run) => {
    if (commit % 3 !== 1) return run();
    late.push(run);
    throw lost();
  });
  for (const each of events) log.append(1, each);
  project(log, { on, batchSize: 20 });
  await reached(1, events.flat().length);
  for (const run of late) expect(await run()).toEqual([]);
  expect(late.length).toBeGreaterThan(1);
  expect(await tablesOf(database, 1)).toEqual(expectedTables(events.flat()));
});

it('killing every backend again and again during work changes nothing about the rows', async () => {
  const log = arrayLog(2);
  const stories = new Map([71, 72, 73, 74].map((seed) => [seed, story(seed, 150)]));
  project(log, { node: 'one' });
  project(log, { node: 'other' });
  let kills = 0;
  const longest = Math.max(...[...stories.values()].map((appends) => appends.length));
  for (let index = 0; index < longest; index++) {
    for (const [id, appends] of stories) {
      const events = appends[index];
      if (events !== undefined) log.append(id, events);
    }
    if (index % 25 === 10) {
      await terminateAll();
      kills++;
    }
    await sleep(2);
  }
  for (const [id, appends] of stories) await reached(id, appends.flat().length);
  for (const [id, appends] of stories)
    expect(await tablesOf(database, id)).toEqual(expectedTables(appends.flat()));
  expect(kills).toBeGreaterThan(4);
  expect(seen.filter((each) => each.type === 'parked')).toEqual([]);
});

it('a Postgres that restarts is waited for, and idle connections that break end nothing', async () => {
  const log = arrayLog();
  const events = story(75, 100);
  const started = project(log);
  for (const each of events.slice(0, 30)) log.append(1, each);
  await reached(1, events.slice(0, 30).flat().length);
  await terminateAll();
  await server.restart();
  const rest = events.slice(30);
  for (const each of rest) log.append(1, each);
  await reached(1, events.flat().length);
  expect(await tablesOf(database, 1)).toEqual(expectedTables(events.flat()));
  await until(() => started.lag() === 0, { what: 'no lag' });
});

it('lag grows while Postgres does not answer', async () => {
  const log = arrayLog();
  let away = true;
  const on = faulty((_, run) => (away ? Promise.reject(lost()) : run()));
  const started = project(log, { on });
  const events = story(76, 20);
  for (const each of events) log.append(1, each);
  const first = await until(() => started.lag(), { what: 'a lag' });
  await until(() => started.lag() > first, { what: 'a growing lag' });
  away = false;
  await reached(1, events.flat().length);
  await until(() => started.lag() === 0, { what: 'no lag' });
});

it('two projectors that both believe to have a partition write each event once', async () => {
  const log = arrayLog();
  const events = story(77, 200);
  // The first one's commits are slow; meanwhile its lease is taken from it.
  const slow = faulty(async (_, run) => {
    await sleep(15);
    return run();
  });
  project(log, { on: slow, node: 'slow' });
  for (const each of events) log.append(1, each);
  await until(async () => (await foldedVersion(database, 1)) > 10, { what: 'some progress' });
  await database.query(`update projection_checkpoints set lease_until = now() - interval '1 minute'`, []);
  project(log, { node: 'quick' });
  await reached(1, events.flat().length);
  expect(await tablesOf(database, 1)).toEqual(expectedTables(events.flat()));
});

/** The commit without what makes it harmless: the number of the owner and that of the commit. */
const unfenced = (text: string) => text.replace(/and c\.fence = p\.fence and c\.commits = p\.commits/, '');

it.each([
  ['changes nothing that its successor wrote', (text: string) => text, true],
  ['would undo what its successor wrote, if its commits were not fenced', unfenced, false],
])('[J14] a projector that stood still in the middle of a commit %s', async (_, sent, isHarmless) => {
  const log = arrayLog();
  const events = story(80, 120);
  let state: 'awake' | 'still' | 'awake again' = 'awake';
  let commit: (() => ReturnType<Database['query']>) | undefined;
  const unanswered: ((error: Error) => void)[] = [];
  const on: Database = {
    ...database,
    query(text, parameters) {
      if (state === 'awake' && isCommit(text)) {
        state = 'still';
        commit = () => database.query(sent(text), parameters);
      }
      if (state !== 'still') return database.query(text, parameters);
      return new Promise((_, reject) => unanswered.push(reject));
    },
  };
  project(log, { on, node: 'still', batchSize: 20 });
  for (const each of events) log.append(1, each);
  const late = await until(() => commit, { what: 'a commit under way' });
  await database.query(`update projection_checkpoints set lease_until = now() - interval '1 minute'`, []);
  project(log, { node: 'successor' });
  await reached(1, events.flat().length);
  await late();
  const tables = await tablesOf(database, 1);
  state = 'awake again';
  for (const reject of unanswered) reject(lost());
  if (isHarmless) expect(tables).toEqual(expectedTables(events.flat()));
  else expect(tables).not.toEqual(expectedTables(events.flat()));
});

it('a projector that dies is succeeded when its lease runs out', async () => {
  const log = arrayLog();
  const events = story(78, 60);
  // Dead as seen from the database: it says and hears nothing any more.
  let dead = false;
  const mortal: Database = {
    ...database,
    query: (text, parameters) => (dead ? Promise.reject(lost()) : database.query(text, parameters)),
  };
  project(log, { on: mortal, node: 'dies' });
  for (const each of events.slice(0, 20)) log.append(1, each);
  await reached(1, events.slice(0, 20).flat().length);
  dead = true;
  for (const each of events.slice(20)) log.append(1, each);
  project(log, { node: 'succeeds' });
  await reached(1, events.flat().length);
  expect(await tablesOf(database, 1)).toEqual(expectedTables(events.flat()));
});

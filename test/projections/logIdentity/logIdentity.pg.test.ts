/** Logs that meet a database: whose tables are they? With a lease of a moment, so that a run that is given up is given up soon. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase } from '../../../projections/database/open.ts';
import { adopt } from '../../../projections/logIdentity/adopt.ts';
import { type OwnDatabase, ownDatabase } from '../../../projections/logIdentity/ownDatabase.ts';
import { recognize } from '../../../projections/logIdentity/recognize.ts';
import { type Projector, projector } from '../../../projections/worker/projector.ts';
import { foldedVersion } from '../../../projections/workshops/queries.ts';
import { embeddedLog } from '../../../src/log/embedded/log.ts';
import type { EventLog } from '../../../src/log/log.ts';
import { redisLog } from '../../../src/log/redis/log.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { type RedisServer, startRedis } from '../../kit/redis.ts';
import { migratedPostgres, sharedRedis } from '../../kit/shared.ts';
import { until } from '../../kit/until.ts';
import { append } from '../stores.ts';
import { scheduledEvent, story } from '../story.ts';

const leaseMs = 600;
const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => 'nothing failed',
    (error: Error) => error.message,
  );
const stranger =
  /^the database belongs to another log \([\da-f-]{36}\) than this one \([\da-f-]{36}\): .*`npx workshop projections adopt`/;
const copy =
  /^the database is in use by another copy of this log \([\da-f-]{36}: there in run [\da-f/]{40,}, here [\da-f/]{40,}\): .*adopt`/;

let url: string;
let closing: (() => Promise<void>)[];
beforeEach(async () => {
  url = await migratedPostgres();
  closing = [];
});
afterEach(async () => {
  for (const close of closing.reverse()) await close();
});

async function logAt(redisUrl: string): Promise<EventLog> {
  const log = await redisLog({ address: { url: redisUrl }, partitions: 4, onError: () => undefined });
  closing.push(() => log.close());
  return log;
}

const freshLog = async () => logAt(await sharedRedis());

async function redisServer(): Promise<RedisServer> {
  const server = await startRedis();
  closing.push(() => server.close());
  return server;
}

/** The database as a process has it that works on this log. */
function processOn(log: EventLog): OwnDatabase & { errors: string[] } {
  const errors: string[] = [];
  const database = openDatabase({ url }, { onError: () => undefined });
  const own = ownDatabase({
    log,
    database,
    leaseMs,
    onError: (error) => errors.push((error as Error).message),
  });
  closing.push(() => own.close());
  return { ...own, errors };
}

/** Projects until the workshop is folded. */
async function project(log: EventLog, database: OwnDatabase, workshopId?: number): Promise<Projector> {
  const running = projector({ log, database, node: 'one', leaseMs });
  closing.push(() => running.close());
  if (workshopId === undefined) return running;
  const version = (await log.events.head(workshopId))?.version;
  await until(async () => (await foldedVersion(database, workshopId)) === version, { what: 'the tables' });
  return running;
}

const raw = () => {
  const database = openDatabase({ url }, { onError: () => undefined });
  closing.push(() => database.close());
  return database;
};
const owners = () =>
  raw().query('select partition, owner from projection_checkpoints order by partition', []);

describe('a log and a database that meet', () => {
  it('[B5] are each other’s own from then on, for every process of the log', async () => {
    const redisUrl = await sharedRedis();
    const processes = await Promise.all([1, 2, 3].map(async () => processOn(await logAt(redisUrl))));
    await Promise.all(processes.map(({ recognized }) => recognized));
    const rows = await raw().query('select identity from projection_log', []);
    expect(rows).toEqual([{ identity: (await (await logAt(redisUrl)).identity.read()).identity }]);
    for (const each of processes) await each.check();
  });

  it('[B6] a stranger is refused with both names and the command that adopts, and touches nothing', async () => {
    const [own, other] = [await freshLog(), await freshLog()];
    await append(own, 1, story(1));
    const first = processOn(own);
    const running = await project(own, first, 1);
    // One that has a workshop of its own under an id that the tables know.
    await append(other, 2, story(2));
    const before = await owners();
    const second = processOn(other);
    expect(await failureOf(second.recognized)).toMatch(stranger);
    const strange = await project(other, second);
    for (const asked of [
      second.check(),
      second.query('select 1', []),
      second.read('select 1', []),
      second.copy({ into: 'workshops', lines: '', check: 'select 1', parameters: [] }),
      Promise.resolve(second.drizzle.execute('select 1')),
    ])
      expect(await failureOf(asked)).toMatch(/belongs to another log|Failed query/);
    await sleep(3 * leaseMs);
    expect(await owners()).toEqual(before);
    expect(strange.positions.size).toBe(0);
    // Neither log has the other's workshop.
    expect(await other.events.head(1)).toBeNull();
    expect(await own.events.head(2)).toBeNull();
    expect(running.positions.size).toBe(4);
    expect(second.errors).toHaveLength(1);
  });

  it('[B6] a log in a folder is as much of a stranger as one in Redis', async () => {
    const folders = [temporaryFolder('one'), temporaryFolder('other')];
    const [own, other] = (await Promise.all(folders.map(({ path }) => embeddedLog({ path })))) as [
      EventLog,
      EventLog,
    ];
    for (const [index, log] of [own, other].entries())
      closing.push(() => log.close().then(() => folders[index]?.close()));
    await append(other, 1, [[scheduledEvent(Date.now())]]);
    await processOn(own).ready;
    expect(await failureOf(processOn(other).recognized)).toMatch(stranger);
  });

  it('[B6] adopting makes the database the stranger’s, and refuses the one before', async () => {
    const [own, other] = [await freshLog(), await freshLog()];
    const first = processOn(own);
    await first.recognized;
    await append(other, 2, story(2));
    const refused = processOn(other);
    expect(await failureOf(refused.recognized)).toMatch(stranger);
    const adopted = await adopt({ log: other, database: raw() });
    expect(adopted).toEqual({
      identity: (await other.identity.read()).identity,
      before: (await own.identity.read()).identity,
      changed: true,
    });
    // Both find out by themselves.
    await until(async () => (await failureOf(refused.check())) === 'nothing failed', {
      what: 'the adopted one',
    });
    await until(async () => stranger.test(await failureOf(first.check())), {
      what: 'the one before to be refused',
    });
    expect(await adopt({ log: other, database: raw() })).toMatchObject({ changed: false });
  });

  it('[B7] a log that lost everything is known by the database, and is filled again from it', async () => {
    const redis = await redisServer();
    const log = await logAt(redis.url);
    await append(log, 1, [[scheduledEvent(Date.now())]]);
    const database = processOn(log);
    const running = await project(log, database, 1);
    const { identity } = await log.identity.read();
    await redis.client().flushall();
    await until(async () => (await log.identity.read()).identity === identity, { what: 'its identity' });
    await running.close();
    // A new and empty one, and nodes that start anew.
    await database.close();
    const fresh = await freshLog();
    const again = processOn(fresh);
    await again.ready;
    expect((await fresh.identity.read()).identity).toBe(identity);
    expect(again.errors).toEqual([]);
    await project(fresh, again);
    await until(async () => (await fresh.events.head(1)) !== null, { what: 'the workshop to be put back' });
  });

  it('[B7] a log that lost everything under running nodes is theirs, whatever is in it by then', async () => {
    const redis = await redisServer();
    const log = await logAt(redis.url);
    await append(log, 1, [[scheduledEvent(Date.now())]]);
    const running = processOn(log);
    await running.ready;
    const { identity } = await log.identity.read();
    await redis.client().flushall();
    // Nobody has folded it yet.
    await append(log, 2, [[scheduledEvent(Date.now())]]);
    await until(async () => (await log.identity.read()).identity !== null, { what: 'a name' });
    expect((await log.identity.read()).identity).toBe(identity);
    expect(await failureOf(running.check())).toBe('nothing failed');
  });

  it('[B7] a log without a name that has workshops is known by their events, and a stranger is told by them', async () => {
    const [own, other] = [await freshLog(), await freshLog()];
    await append(own, 5, story(5));
    await append(other, 5, story(6));
    const first = processOn(own);
    const running = await project(own, first, 5);
    const { identity } = await own.identity.read();
    await running.close();
    await first.close();
    // As after a failover to a replica that did not have the name yet, or with nodes of an older version.
    const nameless = await logAt((await withoutName(own)).url);
    expect((await nameless.identity.read()).identity).toBeNull();
    const again = processOn(nameless);
    await again.ready;
    expect((await nameless.identity.read()).identity).toBe(identity);
    const second = processOn(other);
    expect(await failureOf(second.recognized)).toMatch(stranger);
  });

  /** As if whoever has the database had said so a moment ago. */
  async function isInUseFor(time: string): Promise<void> {
    await raw().query('update projection_log set run_until = now() + $1::text::interval', [time]);
  }

  it('[B8] a copy of the log is refused while the other one is in use, and no longer', async () => {
    const [redis, copied] = [await redisServer(), await redisServer()];
    const log = await logAt(redis.url);
    const first = processOn(log);
    await first.ready;
    // However long this process is held up.
    await isInUseFor('1 minute');
    const twin = await logAt(copied.url);
    await twin.identity.claim(String((await log.identity.read()).identity));
    const second = processOn(twin);
    expect(await failureOf(second.recognized)).toMatch(copy);
    expect(await failureOf(second.query('select 1', []))).toMatch(copy);
    await first.check();
    await first.close();
    await isInUseFor('0');
    await until(async () => (await failureOf(second.check())) === 'nothing failed', {
      what: 'the copy to be let in',
    });
    await isInUseFor('1 minute');
    // The original comes back: of the two it is the second now.
    expect(await failureOf(processOn(log).recognized)).toMatch(copy);
    // Each gets a name of its own, on purpose.
    const { identity, before } = await adopt({ log, database: raw() });
    expect(identity).not.toBe(before);
    await until(async () => stranger.test(await failureOf(second.check())), {
      what: 'the copy to be a stranger',
    });
  });

  it('[B8] a copy that finds the other one given up while it looks takes its place, and says so', async () => {
    const [redis, copied] = [await redisServer(), await redisServer()];
    const log = await logAt(redis.url);
    const first = processOn(log);
    await first.ready;
    await first.close();
    await isInUseFor('1 minute');
    const twin = await logAt(copied.url);
    await twin.identity.claim(String((await log.identity.read()).identity));
    const database = raw();
    const asked: string[] = [];
    const query = async (...given: Parameters<typeof database.query>) => {
      const rows = await database.query(...given);
      asked.push(given[0]);
      // The statement that would have taken its place has just found it in use.
      if (asked.length === 1) await isInUseFor('0');
      return rows;
    };
    const run = await recognize({ log: twin, database: { query }, formerRun: undefined });
    expect(run).toBe((await twin.identity.read()).run);
    expect(await raw().query('select run from projection_log', [])).toEqual([{ run }]);
  });

  it('[B8] an empty log beside one that is in use is no successor, and keeps no name', async () => {
    const [log, empty] = [await freshLog(), await freshLog()];
    await processOn(log).ready;
    expect(await failureOf(processOn(empty).recognized)).toMatch(copy);
    expect((await empty.identity.read()).identity).toBeNull();
  });

  it('[B8] a log whose Redis was restarted is the same one, at once for who saw it', async () => {
    const redis = await redisServer();
    const log = await logAt(redis.url);
    const database = processOn(log);
    await database.ready;
    const { run } = await log.identity.read();
    await redis.restart();
    await until(async () => (await log.identity.read().catch(() => ({ run }))).run !== run, {
      what: 'another run',
    });
    await until(async () => (await raw().query('select run from projection_log', []))[0]?.run !== run, {
      what: 'the database to know it',
      timeout: 3_000,
    });
    await database.check();
    // A process that starts a moment after all others were killed waits until they are given up.
    await database.close();
    await redis.restart();
    const next = processOn(await logAt(redis.url));
    await next.ready;
    expect(next.errors).toEqual([]);
  });

  it('[B9] a stranger that comes while the database is away is refused once that is back', async () => {
    const [own, other] = [await freshLog(), await freshLog()];
    await processOn(own).ready;
    await append(other, 2, story(2));
    const away = raw();
    let isAway = true;
    const reached = ownDatabase({
      ...{ log: other, leaseMs, onError: () => undefined },
      database: {
        ...away,
        query: async (...given) => (isAway ? Promise.reject(new Error('away')) : away.query(...given)),
      },
    });
    closing.push(() => reached.close());
    await reached.recognized;
    expect(await failureOf(reached.read('select 1', []))).toBe('away');
    isAway = false;
    await until(async () => stranger.test(await failureOf(reached.read('select 1', []))), {
      what: 'a refusal',
    });
  });
});

/** A Redis with the workshops of the log, and no identity. */
async function withoutName(log: EventLog): Promise<{ url: string }> {
  const url = await sharedRedis();
  const made = await redisLog({ address: { url }, partitions: 4, onError: () => undefined });
  for (const id of (await log.streams.open(1)).keys()) {
    const events = await log.events.read(id, 0, 1_000);
    await made.streams.refill(
      id,
      (async function* () {
        yield events;
      })(),
    );
  }
  await made.close();
  return { url };
}

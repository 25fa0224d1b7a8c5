/** Connections whose packets vanish, and servers that stand still: nothing waits for ever, and what was waited for is told. */
import { createServer, type Server, type Socket } from 'node:net';
import { afterAll, describe, expect, inject, it } from 'vitest';
import type { Database } from '../../../projections/database/database.ts';
import { openDatabase } from '../../../projections/database/open.ts';
import { type Pool, type PoolOptions, pool } from '../../../projections/database/pool.ts';
import { projector } from '../../../projections/worker/projector.ts';
import { embeddedLog } from '../../../src/log/embedded/log.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { type Network, networkTo } from '../../kit/network.ts';
import { startPgbouncer } from '../../kit/pgbouncer.ts';
import { migratedPostgres } from '../../kit/shared.ts';
import { until } from '../../kit/until.ts';
import { append, folded } from '../stores.ts';
import { story } from '../story.ts';

// They mostly wait, and do so beside each other.
const opened: { close(): Promise<unknown> }[] = [];
afterAll(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});

function closing<T extends { close(): Promise<unknown> }>(each: T): T {
  opened.push(each);
  return each;
}

const lookMs = 100;
const told = (work: Promise<unknown>) => work.then(String, (error: Error) => error.message);

async function openThrough(network: Network, everyMs = lookMs): Promise<Database> {
  const database = closing(openDatabase({ url: network.url, lookMs: everyMs }, { onError: () => undefined }));
  await database.ready;
  return database;
}

function openPool(url: string, options: Partial<PoolOptions> = {}): Pool {
  return closing(pool({ url }, { max: 1, lookMs, what: 'an answer', ...options }));
}

const ask = (connections: Pool, text: string) => connections.run(async (sql) => (await sql.unsafe(text))[0]);

describe.concurrent('[B13] a connection that leads nowhere any more', () => {
  it('is given up with a line that says so, whatever is waited for, and the next one works', async () => {
    const network = closing(await networkTo(await migratedPostgres()));
    const database = await openThrough(network);
    await database.query('select 1', []);
    await database.read('select 1', []);
    await database.check();
    network.strand();
    const began = performance.now();
    const lost = /nothing of what Postgres at .* says gets through.*waited [\d.]+ s for/;
    expect(
      await Promise.all([
        told(database.query('select 1', [])),
        told(database.read('select 1', [])),
        told(database.check()),
      ]),
    ).toEqual([expect.stringMatching(lost), expect.stringMatching(lost), expect.stringMatching(lost)]);
    expect(performance.now() - began).toBeLessThan(5_000);
    expect(await database.query('select 2 as two', [])).toEqual([{ two: 2 }]);
    await database.check();
  });

  it('is not taken for one whose statement takes long', async () => {
    const network = closing(await networkTo(await migratedPostgres()));
    const database = await openThrough(network);
    expect(await database.query(`select 'slow' as is from pg_sleep(2)`, [])).toEqual([{ is: 'slow' }]);
  });

  it('nor for one that waits for a lock', async () => {
    const url = await migratedPostgres();
    const holder = openPool(url);
    const database = closing(openDatabase({ url, lookMs }, { onError: () => undefined }));
    await database.ready;
    const held = holder.run(async (sql) => {
      await sql.unsafe('begin; lock table workshops');
      await sql.unsafe('select pg_sleep(1.5)');
      await sql.unsafe('commit');
    });
    await until(
      async () =>
        (
          await database.query(
            `select 1 from pg_locks where mode = 'AccessExclusiveLock' and granted
           and database = (select oid from pg_database where datname = current_database())`,
            [],
          )
        ).length > 0,
      { what: 'the lock' },
    );
    expect(await database.query('select count(*) as count from workshops', [])).toEqual([{ count: 0 }]);
    await held;
  });

  it('leaves no lock of a COPY behind', async () => {
    const url = await migratedPostgres();
    const network = closing(await networkTo(url));
    const database = await openThrough(network, 400);
    const other = closing(openDatabase({ url }, { onError: () => undefined }));
    const row = (key: string) => `rooms\t${key}\t2020-01-01 00:00:00+00\n`;
    const rows = Array.from({ length: 40_000 }, (_, index) => row(`row ${index}`)).join('');
    network.slow({ bytesPerSecond: 400_000 });
    const lost = told(
      database.copy({
        into: 'projection_projectors (projection, owner, seen_until)',
        ...{ lines: `${row('x')}${rows}`, check: 'select 1', parameters: [] },
      }),
    );
    const begun =
      'select 1 from pg_stat_progress_copy where bytes_processed > 0 and datname = current_database()';
    await until(async () => (await other.query(begun, [])).length > 0, { what: 'the COPY to have begun' });
    network.strand();
    expect(await lost).toMatch(/gets through/);
    // The same row, of which it is not known before the end of the COPY whether it is there.
    const began = performance.now();
    await other.query(
      `insert into projection_projectors (projection, owner, seen_until) values ('rooms', 'x', now())`,
      [],
    );
    expect(performance.now() - began).toBeLessThan(5_000);
  });

  it('keeps neither leases nor commits of a projector for long', { timeout: 30_000 }, async () => {
    const network = closing(await networkTo(await migratedPostgres()));
    const database = await openThrough(network);
    const folder = closing(temporaryFolder('log'));
    const log = closing(await embeddedLog({ path: folder.path }));
    closing(projector({ log, database, node: 'one', leaseMs: 1_500 }));
    await append(log, 1, story(1));
    await folded({ log, database, close: async () => undefined }, 1);
    network.strand();
    await append(log, 2, story(2));
    await folded({ log, database, close: async () => undefined }, 2);
  });

  it('is found out behind a pooler too, before a transaction has begun and within one', async () => {
    const pooler = closing(await startPgbouncer(inject('postgresUrl'), { poolSize: 3 }));
    const network = closing(await networkTo(pooler.through(await migratedPostgres())));
    const database = await openThrough(network);
    expect(await database.query(`select 'slow' as is from pg_sleep(1.5)`, [])).toEqual([{ is: 'slow' }]);
    network.strand();
    expect(await told(database.query('select 1', []))).toMatch(/gets through/);
    const within = told(database.query('select pg_sleep(0.5)', []));
    await new Promise((resolve) => setTimeout(resolve, 250));
    network.strand();
    expect(await within).toMatch(/gets through/);
    expect(await database.query('select 2 as two', [])).toEqual([{ two: 2 }]);
  });
});

describe.concurrent('[B13] waiting has an end', () => {
  const silent: { server: Server; sockets: Socket[] }[] = [];
  afterAll(async () => {
    for (const { server, sockets } of silent.splice(0)) {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  /** Takes connections and never says a word, or nothing but one byte. */
  async function silence(but = ''): Promise<string> {
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      sockets.push(socket.on('error', () => undefined));
      if (but !== '') socket.once('data', () => socket.write(but));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    silent.push({ server, sockets });
    const address = server.address();
    return `127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  }

  it('for being let in, at each host, and another one is tried', async () => {
    const mute = await silence();
    const url = `postgres://postgres@${mute}/postgres?connect_timeout=1`;
    expect(await told(ask(openPool(url), 'select 1'))).toBe(
      `Postgres at ${mute} did not answer within 1 s: being let in`,
    );
    expect(await told(ask(openPool(`${url}&sslmode=require`), 'select 1'))).toBe(
      `Postgres at ${mute} did not answer within 1 s: an agreement on TLS`,
    );
    const half = await silence('S');
    expect(
      await told(
        ask(
          openPool(`postgres://postgres@${half}/postgres?connect_timeout=1&sslmode=verify-full`),
          'select 1',
        ),
      ),
    ).toBe(`Postgres at ${half} did not answer within 1 s: an agreement on TLS`);
    const good = new URL(inject('postgresUrl'));
    const both = `postgres://postgres@${mute},${good.host}/postgres?connect_timeout=1`;
    expect(await ask(openPool(both), 'select 1 as one')).toEqual({ one: 1 });
  });

  it('where neither a connection nor a new one is answered', async () => {
    const network = closing(await networkTo(`${await migratedPostgres()}?connect_timeout=1`));
    const connections = openPool(network.url);
    await ask(connections, 'select 1');
    network.swallow();
    expect(await told(ask(connections, 'select 1'))).toMatch(
      /answers neither this connection nor a new one; waited [\d.]+ s for an answer/,
    );
    network.mend();
    expect(await ask(connections, 'select 1 as one')).toEqual({ one: 1 });
  });

  it('is asked about by nobody any more once the answer came', async () => {
    const network = closing(await networkTo(await migratedPostgres()));
    const connections = openPool(network.url);
    await ask(connections, 'select 1');
    // Whoever asks about it from now on is not answered.
    network.pointTo(`postgres://${await silence()}`, 'stay');
    const answer = ask(connections, 'select 1 as one from pg_sleep(0.6)');
    await until(() => network.open() === 2, { what: 'somebody to ask' });
    expect(await answer).toEqual({ one: 1 });
    await until(() => network.open() === 1, { what: 'the asking to end', timeout: 1_000 });
  });

  it('for a statement and for a lock, by Postgres itself', async () => {
    const url = await migratedPostgres();
    const short = openPool(url, { limits: { statementMs: 300, lockMs: 100 } });
    expect(await told(ask(short, 'select pg_sleep(5)'))).toMatch(/statement timeout/);
    const holder = openPool(url);
    const held = holder.run(async (sql) => {
      await sql.unsafe('begin; lock table workshops; select pg_sleep(0.5)');
      await sql.unsafe('rollback');
    });
    await until(async () => /lock timeout/.test(await told(ask(short, 'select 1 from workshops'))), {
      what: 'the lock to be waited for',
    });
    await held;
  });

  it('for a connection that is free', async () => {
    const busy = openPool(await migratedPostgres(), { limits: { statementMs: 400, lockMs: 100 } });
    const long = told(ask(busy, 'set statement_timeout = 0; select pg_sleep(1)'));
    expect(await told(ask(busy, 'select 1'))).toBe(
      'no connection to Postgres was free for 0.4 s: waited for an answer',
    );
    await long;
  });
});

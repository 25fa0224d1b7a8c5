/** A primary and its standby, both real: which of them is used, and what becomes of connections when they change places. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../../projections/database/database.ts';
import { openDatabase } from '../../../projections/database/open.ts';
import { projector } from '../../../projections/worker/projector.ts';
import { embeddedLog } from '../../../src/log/embedded/log.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { type Network, networkTo } from '../../kit/network.ts';
import { startPgbouncer } from '../../kit/pgbouncer.ts';
import { type PostgresServer, startPostgres } from '../../kit/postgres.ts';
import { until } from '../../kit/until.ts';
import { append, folded } from '../stores.ts';
import { story } from '../story.ts';

const opened: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});

function open(url: string, errors: unknown[] = []): Database {
  const database = openDatabase({ url }, { onError: (error) => errors.push(error) });
  opened.push(database);
  return database;
}

const reason = (database: Database) =>
  database.check().then(
    () => undefined,
    (error: Error) => error.message,
  );

/** Of the server that answers. */
const portOf = async (database: Database) =>
  (await database.query('select inet_server_port() as port', []))[0]?.port;

const writes = (database: Database) =>
  database.query(
    `insert into projection_projectors (projection, owner, seen_until) values ('none', $1::text, now())
     on conflict do nothing`,
    ['x'],
  );

describe('of a primary and its standby', () => {
  let primary: PostgresServer;
  let standby: PostgresServer;
  const both = (...servers: PostgresServer[]) =>
    `postgres://postgres@${servers.map(({ port }) => `127.0.0.1:${port}`).join(',')}/postgres`;

  beforeAll(async () => {
    primary = await startPostgres();
    const first = openDatabase({ url: primary.url() }, { onError: () => undefined });
    await first.ready;
    await first.close();
    standby = await startPostgres({ standbyOf: primary.url() });
  });
  afterAll(async () => {
    await standby?.close();
    await primary?.close();
  });

  it('[B12] the first that takes writes is used, whatever target_session_attrs says', async () => {
    for (const url of [
      both(standby, primary),
      both(primary, standby),
      `${both(standby, primary)}?target_session_attrs=any`,
      `${both(standby, primary)}?target_session_attrs=read-write`,
    ]) {
      const database = open(url);
      await database.ready;
      expect(await portOf(database)).toBe(primary.port);
      await writes(database);
    }
  });

  it('[B12] a standby does for who only reads', async () => {
    const pooler = await startPgbouncer(standby.url());
    opened.push(pooler);
    for (const url of [both(standby), pooler.through(standby.url())]) {
      const database = openDatabase({ url, migrating: 'never', isRead: true }, { onError: () => undefined });
      opened.push(database);
      await database.ready;
      expect(await portOf(database)).toBe(standby.port);
    }
  });

  it('[B12] a standby alone is told of by what it is, and used once it was promoted; the projector goes on by itself', {
    timeout: 40_000,
  }, async () => {
    const folder = temporaryFolder('log');
    opened.push(folder);
    const log = await embeddedLog({ path: folder.path });
    opened.push(log);
    const database = open(both(standby, primary));
    await database.ready;
    const running = projector({ log, database, node: 'one', leaseMs: 1_500 });
    opened.push(running);
    await append(log, 1, story(1));
    await folded({ log, database, close: async () => undefined }, 1);

    await primary.kill();
    await until(async () => /takes no writes: it is a standby/.test((await reason(database)) ?? ''), {
      what: 'the check to say that the only one that is left takes no writes',
    });
    await append(log, 2, story(2));
    await expect(writes(database)).rejects.toMatchObject({
      message: expect.stringMatching(/takes no writes/),
    });

    const { default: postgres } = await import('postgres');
    const sql = postgres(standby.url(), { max: 1 });
    await sql`select pg_promote()`;
    await sql.end();
    await folded({ log, database, close: async () => undefined }, 2);
    expect(await reason(database)).toBeUndefined();
    expect(await portOf(database)).toBe(standby.port);
  });
});

describe('behind a connection that stays', () => {
  let primary: PostgresServer;
  let standby: PostgresServer;
  let line: Network;
  beforeAll(async () => {
    primary = await startPostgres();
    const first = openDatabase({ url: primary.url() }, { onError: () => undefined });
    await first.ready;
    await first.close();
    standby = await startPostgres({ standbyOf: primary.url() });
    line = await networkTo(primary.url());
  });
  afterAll(async () => {
    await line?.close();
    await standby?.close();
    await primary?.close();
  });

  it('[B12] a server that stops taking writes is given up by all connections to it, and looked for again', async () => {
    const database = open(line.url);
    await database.ready;
    // As many as there may be, all of them idle afterwards.
    const pids = await Promise.all(
      Array.from({ length: 8 }, () =>
        database.query('select pg_backend_pid() as pid from pg_sleep(0.1)', []),
      ),
    );
    expect(new Set(pids.map(([row]) => row?.pid)).size).toBe(4);
    // What a failover does to a session that is kept, by a proxy or by the server itself.
    await Promise.all(
      Array.from({ length: 4 }, () =>
        database.query(
          `select set_config('default_transaction_read_only', 'on', false) from pg_sleep(0.1)`,
          [],
        ),
      ),
    );
    await expect(writes(database)).rejects.toMatchObject({ code: '25006' });
    // Not one of the others either.
    for (let count = 0; count < 8; count++) await writes(database);
  });

  it('[B12] a pooler whose server became a standby is told of, and used as soon as that takes writes', async () => {
    const pooler = await startPgbouncer(line.url, { poolSize: 3, extra: { server_login_retry: '1' } });
    opened.push(pooler);
    const database = open(pooler.through(primary.url()));
    await database.ready;
    await writes(database);
    line.pointTo(standby.url());
    await until(async () => /takes no writes/.test((await reason(database)) ?? ''), {
      what: 'the check to say that it takes no writes',
      timeout: 15_000,
    });
    await expect(writes(database)).rejects.toMatchObject({
      message: expect.stringMatching(/takes no writes/),
    });
    line.pointTo(primary.url());
    await until(
      () =>
        writes(database).then(
          () => true,
          () => false,
        ),
      { what: 'a write', timeout: 15_000 },
    );
    expect(await reason(database)).toBeUndefined();
  });
});

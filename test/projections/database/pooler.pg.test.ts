/** Projecting through pgbouncer in transaction mode: the tables are folded, rebuilt by COPY and verified, and nothing waits for ever. */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { Database } from '../../../projections/database/database.ts';
import { openDatabase } from '../../../projections/database/open.ts';
import { requestRebuild } from '../../../projections/rebuild/request.ts';
import { verify } from '../../../projections/verify/verify.ts';
import { projector } from '../../../projections/worker/projector.ts';
import { projectionStatus } from '../../../projections/worker/status.ts';
import type { EventLog } from '../../../src/log/log.ts';
import { redisLog } from '../../../src/log/redis/log.ts';
import { type Pgbouncer, startPgbouncer } from '../../kit/pgbouncer.ts';
import { sharedPostgres, sharedRedis } from '../../kit/shared.ts';
import { until } from '../../kit/until.ts';
import { append, fail, folded } from '../stores.ts';
import { story } from '../story.ts';

describe('through pgbouncer in transaction mode', () => {
  let pooler: Pgbouncer;
  let log: EventLog;
  let database: Database;
  beforeAll(async () => {
    pooler = await startPgbouncer(inject('postgresUrl'), { poolSize: 3 });
    const url = pooler.through(await sharedPostgres());
    log = await redisLog({ address: { url: await sharedRedis() }, partitions: 4, onError: fail });
    database = openDatabase({ url }, { onError: fail });
    await database.ready;
  });
  afterAll(async () => {
    await database?.close();
    await log?.close();
    await pooler?.close();
  });

  it('[B4] a rebuild copies every table, and what it made is right', { timeout: 40_000 }, async () => {
    const errors: unknown[] = [];
    const running = projector({
      ...{ log, database, node: 'one' },
      onEvent: (event) => event.type === 'error' && errors.push(event.error),
    });
    const ids = [1, 2, 3, 4, 5, 6];
    for (const id of ids) await append(log, id, story(id));
    for (const id of ids) await folded({ log, database, close: async () => undefined }, id);
    expect(await requestRebuild(database)).toBe(4);
    await until(
      async () => {
        const { partitions } = await projectionStatus(database, log);
        return partitions.every(({ rebuildRequested }) => !rebuildRequested);
      },
      { what: 'the rebuild', timeout: 20_000 },
    );
    const found = [];
    for await (const each of verify({ log, database })) if (each.kind !== 'progress') found.push(each);
    expect(found).toMatchObject([{ kind: 'summary', workshops: ids.length, differences: 0 }]);
    await running.close();
    expect(errors).toEqual([]);
  });

  it('[B4] a COPY that fails at its very end is told by what is asked next, and the connection goes on', async () => {
    const copied = (lines: string) =>
      database.copy({
        ...{ into: 'projection_projectors (projection, owner, seen_until)', lines },
        ...{
          check: 'select count(*) as count from projection_projectors where owner = $1::text',
          parameters: ['x'],
        },
      });
    const row = 'rooms\tx\t2020-01-01 00:00:00+00\n';
    expect(await copied(row)).toEqual([{ count: 1 }]);
    // The second one is there already.
    expect(await copied(row)).toEqual([{ count: 1 }]);
    expect(await copied('rooms\tx\tno time\n')).toEqual([{ count: 1 }]);
    expect(await database.query('select 1 as one', [])).toEqual([{ one: 1 }]);
  });
});

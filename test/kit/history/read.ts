/** Reads what the checker wants: the raw log, without any code of the product that decodes it, and the tables. */
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { openDatabase } from '../../../projections/database/open.ts';
import type { RecordedEvent } from '../../../src/domain/evolve.ts';
import { embeddedLog } from '../../../src/log/embedded/log.ts';
import { readAll } from '../../../src/log/log.ts';
import type { Tables } from '../../projections/expected.ts';
import { tablesOf } from '../../projections/tables.ts';
import { until } from '../until.ts';

export type Log = Map<number, RecordedEvent[]>;

const streamKey = /:(\d+):events$/;
/** The fields of an entry, as the contract names them. */
const entry = z.object({
  event: z.string(),
  type: z.string(),
  schema: z.coerce.number().int(),
  at: z.coerce.number().int(),
  by: z.union([z.literal('system'), z.coerce.number().int()]),
  command: z.string(),
  data: z.string().transform((text): unknown => JSON.parse(text)),
});

/** Every workshop's stream on that server, but for those in `except`, which a test has spoilt. */
export async function redisEvents(redis: Redis, except: readonly number[] = []): Promise<Log> {
  const log: Log = new Map();
  for (const key of await redis.keys('*:events')) {
    const workshopId = Number(streamKey.exec(key)?.[1]);
    if (!except.includes(workshopId)) log.set(workshopId, (await redis.xrange(key, '-', '+')).map(recorded));
  }
  return log;
}

function recorded([id, fields]: [id: string, fields: string[]]): RecordedEvent {
  const named: Record<string, string> = {};
  for (let n = 0; n + 1 < fields.length; n += 2) named[fields[n] ?? ''] = fields[n + 1] ?? '';
  const { event: eventId, command: commandId, ...rest } = entry.parse(named);
  const [version = '', zero] = id.split('-');
  if (zero !== '0') throw new Error(`an event has the entry id ${id}`);
  return { version: Number(version), eventId, commandId, ...rest };
}

/** The log of a data folder, also beside the process that serves it. */
export async function embeddedEvents(path: string): Promise<Log> {
  const log = await embeddedLog({ path, readOnly: true });
  try {
    const found: Log = new Map();
    for (const workshopId of (await log.streams.open(0)).keys()) {
      const events: RecordedEvent[] = [];
      for await (const page of readAll(log.events, workshopId)) events.push(...page);
      found.set(workshopId, events);
    }
    return found;
  } finally {
    await log.close();
  }
}

/** The tables of every workshop of the log, once the projector has come to the log's end. */
export async function postgresTables(
  url: string,
  log: ReadonlyMap<number, readonly RecordedEvent[]>,
  timeout = 10_000,
): Promise<Map<number, Tables>> {
  const database = openDatabase({ url }, { onError: () => undefined });
  try {
    await database.ready;
    for (const [workshopId, events] of log) {
      const reached = async () => {
        const rows = await database.query('select version from workshops where id = $1::bigint', [
          workshopId,
        ]);
        if (Number(rows[0]?.version ?? 0) < events.length)
          throw new Error(`the tables are at ${rows[0]?.version}, the log at ${events.length}`);
        return true;
      };
      await until(reached, { what: `the tables of workshop ${workshopId}`, timeout });
    }
    const tables = new Map<number, Tables>();
    for (const workshopId of log.keys()) tables.set(workshopId, await tablesOf(database, workshopId));
    return tables;
  } finally {
    await database.close();
  }
}

/** What a test file gets of the run's shared servers (started in `global.ts`): a database that nobody else uses. */
import { inject } from 'vitest';
import { createDatabase } from './postgres.ts';
import { redisClient, sharedDatabases } from './redis.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    redisUrl: string;
    postgresUrl: string;
    /** The database with tables of which `migratedPostgres` hands out copies. */
    postgresTemplate: string;
  }
}

/**
 * The url of an empty database of the run's shared Redis, for this caller alone. What isn't kept by database is shared with
 * other test files: channels of publish/subscribe, CONFIG, memory, the server's pace. Use `startRedis` for those.
 */
export async function sharedRedis(): Promise<string> {
  const url = inject('redisUrl');
  const counter = redisClient(url);
  try {
    const taken = await counter.incr('kit:databases');
    if (taken >= sharedDatabases)
      throw new Error(`one run has ${sharedDatabases - 1} databases, and all are taken`);
    await counter.select(taken);
    await counter.flushdb();
    return `${url}/${taken}`;
  } finally {
    counter.disconnect();
  }
}

/** The url of a fresh, empty database of the run's shared Postgres. It goes with the run. */
export function sharedPostgres(): Promise<string> {
  return createDatabase(inject('postgresUrl'));
}

/** The same with the tables as a node has made them at its first start, which takes it a tenth of a second. */
export function migratedPostgres(): Promise<string> {
  return createDatabase(inject('postgresUrl'), inject('postgresTemplate'));
}

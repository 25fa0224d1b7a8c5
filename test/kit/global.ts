/**
 * Once for a run of the tests: one Redis and one Postgres, of which test files take databases of their own (`shared.ts`), an
 * empty PGlite (`dataFolder.ts`), and the program, compiled before many processes want it at once.
 */
import type { TestProject } from 'vitest/node';
import { compile } from '../../bin/compiled.js';
import { migrateDatabase } from '../../projections/database/open.ts';
import { emptyDatabase } from './dataFolder.ts';
import { startPostgres } from './postgres.ts';
import { sharedDatabases, startRedis } from './redis.ts';
import type {} from './shared.ts';

export default async function sharedServers(project: TestProject): Promise<() => Promise<void>> {
  const [redis, postgres, empty] = await Promise.all([
    startRedis({ extra: { databases: String(sharedDatabases) } }),
    startPostgres(),
    emptyDatabase(),
    compile(),
  ]);
  const template = await postgres.createDatabase();
  await migrateDatabase(template);
  project.provide('postgresTemplate', new URL(template).pathname.slice(1));
  project.provide('redisUrl', redis.url);
  project.provide('postgresUrl', postgres.url());
  project.provide('emptyDatabase', empty);
  return async () => {
    await Promise.all([redis.close(), postgres.close()]);
  };
}

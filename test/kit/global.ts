/** Once for a run of the tests: one Redis and one Postgres, of which test files take databases of their own (`shared.ts`). */
import type { TestProject } from 'vitest/node';
import { startPostgres } from './postgres.ts';
import { sharedDatabases, startRedis } from './redis.ts';
import type {} from './shared.ts';

export default async function sharedServers(project: TestProject): Promise<() => Promise<void>> {
  const [redis, postgres] = await Promise.all([
    startRedis({ extra: { databases: String(sharedDatabases) } }),
    startPostgres(),
  ]);
  project.provide('redisUrl', redis.url);
  project.provide('postgresUrl', postgres.url());
  return async () => {
    await Promise.all([redis.close(), postgres.close()]);
  };
}

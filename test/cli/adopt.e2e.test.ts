/** A log that meets another log's tables: whatever is started says so in one line, until the database is adopted. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { redisLog } from '../../src/log/redis/log.ts';
import { runCommand } from '../kit/commandLine.ts';
import { clusterSettings, liveWorkshop, secret, type TestServer, testServer } from '../kit/server.ts';
import { sharedRedis } from '../kit/shared.ts';
import { append } from '../projections/stores.ts';
import { story } from '../projections/story.ts';

const refusal =
  /^workshop: the database belongs to another log \(([\da-f-]{36})\) than this one \(([\da-f-]{36})\): look at REDIS_URL and DATABASE_URL, or, if it is meant, `npx workshop projections adopt` makes the database this one's\n$/;

describe('a log that the database does not know', () => {
  let settings: Record<string, string>;
  let server: TestServer;
  let workshopId: number;
  let strange: Record<string, string>;
  beforeAll(async () => {
    settings = await clusterSettings();
    server = await testServer(settings);
    workshopId = await liveWorkshop(server, [2]);
    strange = {
      ...settings,
      REDIS_URL: await sharedRedis(),
      AUTH_SECRET: secret,
      PORT: '0',
      LOG_LEVEL: 'fatal',
    };
    const log = await redisLog({ address: { url: strange.REDIS_URL ?? '' }, onError: () => undefined });
    await append(log, 1_000, story(1));
    await log.close();
  });
  afterAll(() => server.close());

  it('[B6] is refused by what serves and projects, and by what operators ask for, in one line', {
    timeout: 60_000,
  }, async () => {
    const refused = async (...words: (string | number)[]) => {
      const { code, all } = await runCommand(strange, ...words);
      expect(all, words.join(' ')).toMatch(refusal);
      expect(code, words.join(' ')).toBe(1);
    };
    // The first one gives the log its name.
    await refused('serve');
    await Promise.all([
      refused('project'),
      refused('projections', 'rebuild'),
      refused('erase-user', 2, '--yes'),
      refused('verify', '--all'),
    ]);
    // Nor are the other log's workshops taken for its own where it lacks them.
    const { code, all } = await runCommand(strange, 'replay', workshopId);
    expect([code, all]).toEqual([1, expect.stringMatching(/belongs to another log/)]);
  });

  it('[B6] is the one that the database belongs to once it was adopted', { timeout: 60_000 }, async () => {
    expect(await runCommand(strange, 'projections', 'adopt')).toMatchObject({ code: 2 });
    const { code, out } = await runCommand(strange, 'projections', 'adopt', '--yes', '--json');
    expect(code).toBe(0);
    const { identity, before, changed } = JSON.parse(out);
    expect([typeof identity, typeof before, changed]).toEqual(['string', 'string', true]);
    const again = await runCommand(strange, 'projections', 'adopt', '--yes');
    expect(again.out).toBe(`the database belongs to this log already (${identity})\n`);
    const adopted = await testServer(strange);
    expect(await (await fetch(`${adopted.url}/readyz`)).json()).toMatchObject({ status: 'ready' });
    await adopted.close();
    const { all } = await runCommand({ ...strange, ...settings }, 'projections', 'status');
    expect(all).toMatch(refusal);
    expect(refusal.exec(all)?.slice(1)).toEqual([identity, before]);
  });
});

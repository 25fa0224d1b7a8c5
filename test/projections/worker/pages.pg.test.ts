/** Tables that are brought up to the log page by page: what readers see between two pages. */
import { beforeAll, expect, it } from 'vitest';
import type { Database } from '../../../projections/database/database.ts';
import { arrayLog } from '../arrayLog.ts';
import { databases } from '../databases.ts';
import { projecting } from '../projecting.ts';
import { event, scheduledEvent } from '../story.ts';
import { tablesOf } from '../tables.ts';

const [{ open }] = databases;
const here = projecting(open, 'projection_checkpoints', 'projection_parked');
const at = Date.parse('2026-05-01T09:00:00Z');
const said = { userId: 1, displayName: 'P1', avatarUrl: null };
let id: number;
beforeAll(() => {
  id = here.nextId();
});

it('[D6] a message that is deleted by now has no text in any table, at no time, although its deletion comes pages later', async () => {
  const log = arrayLog();
  log.append(id, [scheduledEvent(at), event('state-changed', { status: 'live' }, at)]);
  log.append(id, [event('chat-message', { ...said, message: 'the secret' }, at)]);
  for (let userId = 10; userId < 40; userId++) log.append(id, [event('user-invited', { userId }, at)]);
  log.append(id, [event('chat-deleted', { id: 3, by: 1 }, at + 1_000)]);
  // What the feed does not tell is read from the stream.
  log.trimFeeds();
  const seen: string[] = [];
  const database: Database = {
    ...here.database,
    async query(text, parameters) {
      const answer = await here.database.query(text, parameters);
      seen.push(JSON.stringify(await tablesOf(here.database, id)));
      return answer;
    },
  };
  here.project({ log, database, batchSize: 5 });
  await here.reached(id, 34);
  expect(new Set(seen.map((tables) => JSON.parse(tables).events.length)).size).toBeGreaterThan(4);
  expect(seen.filter((tables) => tables.includes('the secret'))).toEqual([]);
  expect((await tablesOf(here.database, id)).chat).toMatchObject([
    { id: 3, message: null, deleted_at: at + 1_000 },
  ]);
});

/** Tables whose log has other events than they were folded from, although versions and even epochs are the same. */
import { beforeEach, expect, it } from 'vitest';
import type { Database } from '../../../projections/database/database.ts';
import { rebuildsLeft, requestRebuild } from '../../../projections/rebuild/request.ts';
import { until } from '../../kit/until.ts';
import { type ArrayLog, arrayLog } from '../arrayLog.ts';
import { databases } from '../databases.ts';
import { expectedTables } from '../expected.ts';
import { projecting } from '../projecting.ts';
import { event, story } from '../story.ts';
import { tablesOf } from '../tables.ts';

const [{ open }] = databases;
const here = projecting(open, 'projection_checkpoints', 'projection_parked', 'projection_chunks');
let log: ArrayLog;
beforeEach(() => {
  log = arrayLog();
});

/** As many other events as the log lost: they leave the versions as they were. */
const others = (count: number, at: number) =>
  Array.from({ length: count }, (_, index) => event('user-invited', { userId: 300 + index }, at + index));

it('[J5] another event in the place of the last one is found where the feed lost track, though the epoch is the same', async () => {
  const id = here.nextId();
  const events = story(201, 30).flat();
  const first = here.project({ log });
  log.append(id, events);
  await here.reached(id, events.length);
  await first.close();
  const last = { ...others(1, Date.now())[0], version: events.length } as (typeof events)[number];
  log.replace(id, last);
  log.append(here.nextId(), story(203, 5).flat());
  log.trimFeeds();
  here.project({ log });
  const right = expectedTables([...events.slice(0, -1), last]);
  await until(async () => expect(await tablesOf(here.database, id)).toEqual(right) ?? true, {
    what: 'the tables to follow the log',
    timeout: 15_000,
  });
  const lost = await here.database.query('select event_id from workshop_events_lost where workshop_id = $1', [
    id,
  ]);
  expect(lost).toEqual([{ event_id: events.at(-1)?.eventId }]);
});

it('[J5] what the log loses while the tables are compared with it is not taken for what they have in common', async () => {
  const id = here.nextId();
  const events = story(204, 40).flat();
  const first = here.project({ log });
  log.append(id, events);
  await here.reached(id, events.length);
  await first.close();
  log.lose(id, events.length - 3);
  log.append(id, others(3, Date.now()));
  let compared = 0;
  let kept = events.length;
  const changing: ArrayLog = {
    ...log,
    events: {
      ...log.events,
      async read(workshopId, after, limit) {
        if (limit === 1) compared++;
        return log.events.read(workshopId, after, limit);
      },
      async head(workshopId) {
        // Event by event it was found out how far they agree.
        if (compared > 1 && kept === events.length) {
          kept = events.length - 20;
          log.lose(id, kept);
          log.append(id, others(20, Date.now()));
        }
        return log.events.head(workshopId);
      },
    },
  };
  here.project({ log: changing });
  await until(() => kept < events.length, { what: 'the comparison' });
  const now = await log.events.read(id, 0, 1_000);
  await until(async () => expect(await tablesOf(here.database, id)).toEqual(expectedTables(now)) ?? true, {
    what: 'the tables to follow the log',
    timeout: 15_000,
  });
});

it('[J22] rows of events that were lost meanwhile are not switched over, though as many others came', async () => {
  const id = here.nextId();
  const events = story(202, 60).flat();
  const first = here.project({ log });
  log.append(id, events);
  await here.reached(id, events.length);
  await first.close();
  const kept = events.slice(0, -5);
  const instead = others(5, events.at(-1)?.at ?? 0);
  const survived = [
    ...kept,
    ...instead.map((each, index) => ({ ...each, version: kept.length + index + 1 })),
  ];
  let isFolded = false;
  const database: Database = {
    ...here.database,
    async copy(copy) {
      const answer = await here.database.copy(copy);
      // The workshop was folded anew, and is switched over next.
      if (!isFolded && copy.into.startsWith('workshops_next')) {
        isFolded = true;
        log.lose(id, kept.length);
        log.append(id, instead);
        await until(
          async () => expect(await tablesOf(here.database, id)).toEqual(expectedTables(survived)) ?? true,
          {
            what: 'the tables to follow the log',
            timeout: 15_000,
          },
        );
      }
      return answer;
    },
  };
  await requestRebuild(here.database);
  here.project({ log, database });
  await until(async () => (await rebuildsLeft(here.database)) === 0, {
    what: 'the rebuild',
    timeout: 20_000,
  });
  expect(isFolded).toBe(true);
  expect(await tablesOf(here.database, id)).toEqual(expectedTables(survived));
});

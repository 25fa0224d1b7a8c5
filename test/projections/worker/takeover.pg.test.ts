/** A partition that is taken from a projector which stands still in the middle of a commit, before its successor has written anything. */
import { expect, it } from 'vitest';
import type { Database } from '../../../projections/database/database.ts';
import { until } from '../../kit/until.ts';
import { type ArrayLog, arrayLog } from '../arrayLog.ts';
import { databases } from '../databases.ts';
import { expectedTables } from '../expected.ts';
import { isCommit, projecting } from '../projecting.ts';
import { event, story } from '../story.ts';
import { tablesOf } from '../tables.ts';

const [{ open }] = databases;
const here = projecting(open, 'projection_checkpoints', 'projection_parked');

interface Held {
  database: Database;
  /** Resolves to what lets the first of them through, and answers as Postgres does. */
  first(): Promise<() => Promise<unknown[]>>;
  /** Lets everything through. */
  open(): void;
}

/** The database, of which such statements wait to be let through one by one. */
function held(isSuch: (text: string) => boolean): Held {
  const waiting: (() => Promise<unknown[]>)[] = [];
  let isOpen = false;
  const query: Database['query'] = (text, parameters) => {
    const run = () => here.database.query(text, parameters);
    if (isOpen || !isSuch(text)) return run();
    return new Promise((resolve, reject) =>
      waiting.push(() => {
        const answer = run();
        answer.then(resolve, reject);
        return answer;
      }),
    );
  };
  return {
    database: { ...here.database, query },
    first: () => until(() => waiting.shift(), { what: 'a statement under way' }),
    open() {
      isOpen = true;
      for (const run of waiting.splice(0)) void run();
    },
  };
}

const isTakingBack = (text: string) => text.includes('lost as (');

/** Another projector has the partition, and has written nothing yet. */
async function succeeded(log: ArrayLog, database: Database): Promise<void> {
  here.project({ log, database, node: 'successor' });
  const isTaken = async () => {
    // Also where the one that stands still has renewed its lease meanwhile.
    await here.database.query(
      `update projection_checkpoints set lease_until = now() - interval '1 minute' where owner like 'still:%'`,
      [],
    );
    const [row] = await here.database.query('select owner from projection_checkpoints', []);
    return String(row?.owner).startsWith('successor:');
  };
  await until(isTaken, { what: 'the partition to be taken over', timeout: 15_000 });
}

/** Projectors end once what they wait for is through. */
async function withBoth(still: Held, successor: Held, test: () => Promise<void>): Promise<void> {
  try {
    await test();
  } finally {
    still.open();
    successor.open();
  }
}

it('[F11] the commit of a projector that lost the partition counts for nothing, although nobody has written since', async () => {
  const log = arrayLog();
  const id = here.nextId();
  const events = story(211, 120);
  const [still, successor] = [held(isCommit), held(isCommit)];
  await withBoth(still, successor, async () => {
    here.project({ log, database: still.database, node: 'still', batchSize: 20 });
    for (const each of events) log.append(id, each);
    const commit = await still.first();
    await succeeded(log, successor.database);
    expect(await commit()).toEqual([]);
    successor.open();
    await here.reached(id, events.flat().length);
  });
  expect(await tablesOf(here.database, id)).toEqual(expectedTables(events.flat()));
});

it('[F11] nor does it take back what the log is said to have lost', async () => {
  const log = arrayLog();
  const id = here.nextId();
  const events = story(212, 60).flat();
  const first = here.project({ log });
  log.append(id, events);
  await here.reached(id, events.length);
  await first.close();
  log.lose(id, events.length - 5);
  log.append(id, [event('user-invited', { userId: 300 }, Date.now())]);
  const [still, successor] = [held(isTakingBack), held((text) => isCommit(text) || isTakingBack(text))];
  await withBoth(still, successor, async () => {
    here.project({ log, database: still.database, node: 'still' });
    const takingBack = await still.first();
    await succeeded(log, successor.database);
    expect(await takingBack()).toEqual([]);
    successor.open();
    await here.reached(id, events.length - 4);
  });
});

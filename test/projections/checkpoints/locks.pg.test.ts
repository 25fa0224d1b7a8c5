/** Statements that write several checkpoints at the same time, in every order: none waits for another that waits for it. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { checkpointsOf, leases } from '../../../projections/checkpoints/leases.ts';
import { commitStatement } from '../../../projections/checkpoints/statement.ts';
import { type Database, sqlState } from '../../../projections/database/database.ts';
import type { Changes } from '../../../projections/fold/folding.ts';
import { callOffRebuilds, requestRebuild } from '../../../projections/rebuild/request.ts';
import { databases, type FreshDatabase } from '../databases.ts';

const [{ open }] = databases;
const partitions = 300;
const all = Array.from({ length: partitions }, (_, partition) => partition);
const nothing: Changes = { workshops: [], attendees: [], chat: [], events: [], deletions: [] };

let fresh: FreshDatabase;
let database: Database;
beforeAll(async () => {
  fresh = await open();
  ({ database } = fresh);
});
afterAll(() => fresh.close());

const shuffled = (list: readonly number[]) =>
  list
    .map((each) => ({ each, place: Math.random() }))
    .sort((one, other) => one.place - other.place)
    .map(({ each }) => each);

it('[J14] renewing, committing, releasing and asking for a rebuild never deadlock', {
  timeout: 60_000,
}, async () => {
  const held = leases(database, { owner: 'one', partitions, leaseMs: 60_000 });
  await held.beat();
  const deadlocks: string[] = [];

  async function again(what: string, work: () => Promise<unknown>): Promise<void> {
    for (let n = 0; n < 200; n++) {
      await work().catch((error: unknown) => {
        if (sqlState(error) !== '40P01') throw error;
        deadlocks.push(what);
      });
    }
  }

  async function commit(): Promise<void> {
    const checkpoints = await checkpointsOf(database, all);
    const commits = shuffled(all).flatMap((partition) => {
      const found = checkpoints.get(partition);
      return found === undefined ? [] : [{ ...found, next: found.position + 1, changes: nothing }];
    });
    const { text, parameters } = commitStatement(commits);
    await database.query(text, parameters);
  }

  await Promise.all([
    again('renewing', () => held.beat()),
    again('committing', commit),
    again('committing', commit),
    again('releasing', () => held.release(shuffled(all).slice(0, partitions / 2))),
    again('a rebuild', async () => {
      await requestRebuild(database);
      await callOffRebuilds(database);
    }),
  ]);
  expect(deadlocks).toEqual([]);
});

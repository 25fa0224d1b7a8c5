/**
 * Who folds which partition. A lease with a fencing number in the database, whose clock alone counts: an owner that stops
 * renewing is succeeded within `leaseMs` and a beat, and what it still writes then is refused by its old number.
 * Projectors share fairly: each counts who is there and takes or gives up partitions until it has its part.
 */

import type { Database, Row } from '../database/database.ts';
import { arrayText } from '../database/encoding.ts';
import { lockedCheckpoints, projectionName } from './schema.ts';

/** How far a partition is folded, as its row says. */
export interface Checkpoint {
  partition: number;
  fence: number;
  /** Cursor in the feed up to which the tables are folded. */
  position: number;
  /** Commits so far. */
  commits: number;
}

/** A partition that this owner has. */
export interface Lease extends Checkpoint {
  rebuildRequested: boolean;
}

export interface Leases {
  /** Renews what this owner has and takes what it may have more. `surplus` partitions are to be released. */
  beat(): Promise<{ held: Map<number, Lease>; surplus: number }>;
  release(partitions: readonly number[]): Promise<void>;
  /** Leaves: others take over at their next beat. */
  close(): Promise<void>;
}

export interface LeaseOptions {
  owner: string;
  partitions: number;
  leaseMs: number;
}

export function leases(database: Database, options: LeaseOptions): Leases {
  const { owner, partitions } = options;
  const holder: Holder = { database, ...options };
  let isPrepared = false;

  return {
    async beat() {
      if (!isPrepared) await prepare(holder);
      isPrepared = true;
      const living = await countLiving(holder);
      const share = Math.ceil(partitions / living);
      const rows = await renew(holder);
      if (rows.length < share) rows.push(...(await take(holder, share - rows.length)));
      const held = new Map(rows.map(leaseOf).map((each) => [each.partition, each]));
      return { held, surplus: Math.max(0, held.size - share) };
    },
    async release(given) {
      await database.query(
        `with given as (${lockedCheckpoints('owner = $1::text and partition = any($2::text::integer[])')})
         update projection_checkpoints c set owner = null, lease_until = null
         from given where c.projection = given.projection and c.partition = given.partition`,
        [owner, arrayText(given)],
      );
    },
    async close() {
      await database.query(
        `with gone as (
           delete from projection_projectors where projection = '${projectionName}' and owner = $1::text
         ), given as (${lockedCheckpoints('owner = $1::text')})
         update projection_checkpoints c set owner = null, lease_until = null
         from given where c.projection = given.projection and c.partition = given.partition`,
        [owner],
      );
    },
  };
}

interface Holder extends LeaseOptions {
  database: Database;
}

/** A partition that was never folded starts at the beginning of its feed. */
async function prepare({ database, partitions }: Holder): Promise<void> {
  await database.query(
    `insert into projection_checkpoints
       (projection, partition, feed_seq, commits, fence, rebuild_requested, updated_at)
     select '${projectionName}', p, 0, 0, 0, false, now() from generate_series(0, $1::integer - 1) p
     on conflict do nothing`,
    [partitions],
  );
}

/** Says that this projector is there, and answers with how many are. */
async function countLiving({ database, owner, leaseMs }: Holder): Promise<number> {
  await database.query(
    `insert into projection_projectors (projection, owner, seen_until)
     values ('${projectionName}', $1::text, now() + $2::bigint * interval '1 millisecond')
     on conflict (projection, owner) do update set seen_until = excluded.seen_until`,
    [owner, leaseMs],
  );
  await database.query(
    `delete from projection_projectors where projection = '${projectionName}' and seen_until < now()`,
    [],
  );
  const rows = await database.query(
    `select count(*) as living from projection_projectors where projection = '${projectionName}'`,
    [],
  );
  return Math.max(1, Number(rows[0]?.living));
}

function renew({ database, owner, leaseMs, partitions }: Holder): Promise<Row[]> {
  return database.query(
    `with held as (${lockedCheckpoints('owner = $1::text and partition < $3::integer')})
     update projection_checkpoints c set lease_until = now() + $2::bigint * interval '1 millisecond'
     from held where c.projection = held.projection and c.partition = held.partition
     returning ${columns}`,
    [owner, leaseMs, partitions],
  );
}

function take({ database, owner, leaseMs, partitions }: Holder, count: number): Promise<Row[]> {
  return database.query(
    `with free as (
       select projection, partition from projection_checkpoints
       where projection = '${projectionName}' and partition < $4::integer
         and (owner is null or lease_until < now())
       order by partition limit $3::bigint for update skip locked
     )
     update projection_checkpoints c
     set owner = $1::text, fence = c.fence + 1, lease_until = now() + $2::bigint * interval '1 millisecond'
     from free where c.projection = free.projection and c.partition = free.partition
     returning ${columns}`,
    [owner, leaseMs, count, partitions],
  );
}

const columns = 'c.partition, c.fence, c.feed_seq, c.commits, c.rebuild_requested';

function checkpointOf(row: Row): Checkpoint {
  return {
    partition: Number(row.partition),
    fence: Number(row.fence),
    position: Number(row.feed_seq),
    commits: Number(row.commits),
  };
}

function leaseOf(row: Row): Lease {
  return { ...checkpointOf(row), rebuildRequested: row.rebuild_requested === true };
}

/** How far these partitions are folded by now, whoever has them. */
export async function checkpointsOf(
  database: Database,
  partitions: readonly number[],
): Promise<Map<number, Checkpoint>> {
  const rows = await database.query(
    `select partition, fence, feed_seq, commits from projection_checkpoints
     where projection = '${projectionName}' and partition = any($1::text::integer[])`,
    [arrayText(partitions)],
  );
  return new Map(rows.map(checkpointOf).map((each) => [each.partition, each]));
}

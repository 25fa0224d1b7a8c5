/** What an operator asked for on any node is written down in the database; the projector that has the partition takes it up here. */
import type { Lease } from '../checkpoints/leases.ts';
import type { Database } from '../database/database.ts';
import { arrayText } from '../database/encoding.ts';
import { openErasures } from '../erasing/request.ts';
import type { FollowedPartition } from './partition.ts';

export interface Requests {
  /** Looks for what is asked of these partitions, and begins it. What is under way is not waited for. */
  takeUp(held: ReadonlyMap<number, Lease>): Promise<void>;
}

export function requests(
  database: Database,
  followed: ReadonlyMap<number, Pick<FollowedPartition, 'rebuild' | 'retry' | 'erase'>>,
): Requests {
  const underWay = new Set<string>();
  let rebuilding: Promise<unknown> = Promise.resolve();

  function once(what: string, run: () => Promise<void> | undefined): void {
    if (underWay.has(what)) return;
    underWay.add(what);
    void Promise.resolve(run()).finally(() => underWay.delete(what));
  }

  /** One partition is rebuilt at a time: the others' rooms are not to wait for it. */
  function rebuild(partition: number): Promise<void> {
    const rebuilt = rebuilding.then(() => followed.get(partition)?.rebuild());
    rebuilding = rebuilt;
    return rebuilt;
  }

  return {
    async takeUp(held) {
      for (const { partition, rebuildRequested } of held.values())
        if (rebuildRequested) once(`rebuild ${partition}`, () => rebuild(partition));
      const partitions = [...held.keys()];
      for (const { workshopId, partition } of await retriesIn(database, partitions))
        once(`retry ${workshopId}`, () => followed.get(partition)?.retry([workshopId]));
      for (const erasure of await openErasures(database, partitions))
        once(`erase ${erasure.userId} ${erasure.workshopId}`, () =>
          followed.get(erasure.partition)?.erase(erasure),
        );
    },
  };
}

async function retriesIn(database: Database, partitions: readonly number[]) {
  const rows = await database.query(
    `select workshop_id, partition from projection_parked
     where retry_requested and partition = any($1::text::integer[])`,
    [arrayText(partitions)],
  );
  return rows.map((row) => ({ workshopId: Number(row.workshop_id), partition: Number(row.partition) }));
}

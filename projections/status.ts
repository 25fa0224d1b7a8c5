/** What an operator wants to know of the projections, from whatever node is asked. */
import { asc } from 'drizzle-orm';
import { checkpoints, parked } from './bookkeeping.ts';
import { isoText, isoTextOrNull } from './columns.ts';
import type { Database } from './database.ts';
import type { ProjectedLog } from './feed.ts';
import { reading } from './page.ts';
import { foldedVersions } from './workshops/queries.ts';

/** Times are ISO 8601 in UTC. */
export interface ProjectionStatus {
  partitions: {
    partition: number;
    /** Cursor in the feed up to which the tables are folded. */
    position: number;
    owner: string | null;
    leaseUntil: string | null;
    rebuildRequested: boolean;
    /** Of the last commit. */
    updatedAt: string;
  }[];
  parked: ParkedWorkshop[];
  /** Events that the log holds and the tables don't, parked workshops' included. */
  lag: number;
}

export interface ParkedWorkshop {
  workshopId: number;
  projection: string;
  /** Of the event that could not be folded. */
  version: number;
  reason: string;
  attempts: number;
  parkedAt: string;
}

export async function projectionStatus(database: Database, log: ProjectedLog): Promise<ProjectionStatus> {
  const { drizzle } = database;
  const [places, waiting, lag] = await Promise.all([
    reading(() => drizzle.select().from(checkpoints).orderBy(asc(checkpoints.partition))),
    listParked(database),
    eventsBehind(database, log),
  ]);
  const partitions = places.map(({ partition, feedSeq, owner, leaseUntil, rebuildRequested, updatedAt }) => ({
    ...{ partition, position: feedSeq, owner, rebuildRequested },
    leaseUntil: isoTextOrNull(leaseUntil),
    updatedAt: isoText(updatedAt),
  }));
  return { partitions, parked: waiting, lag };
}

export async function listParked({ drizzle }: Database): Promise<ParkedWorkshop[]> {
  const rows = await reading(() => drizzle.select().from(parked).orderBy(asc(parked.workshopId)));
  return rows.map(({ workshopId, projection, version, reason, attempts, parkedAt }) => ({
    ...{ workshopId, projection, version, reason, attempts },
    parkedAt: isoText(parkedAt),
  }));
}

/** Events that the log holds and the tables don't. */
export async function eventsBehind(database: Database, log: ProjectedLog): Promise<number> {
  let behind = 0;
  for (let partition = 0; partition < log.partitions; partition++) {
    const open = await log.open(partition);
    const folded = await foldedVersions(database, [...open.keys()]);
    for (const [id, version] of open) behind += Math.max(0, version - (folded.get(id) ?? 0));
  }
  return behind;
}

/** What an operator wants to know of the projections, from whatever node is asked. */
import { asc, desc, eq, max } from 'drizzle-orm';
import { checkpoints } from '../checkpoints/schema.ts';
import { isoText, isoTextOrNull } from '../database/columns.ts';
import type { Database } from '../database/database.ts';
import { reading } from '../database/page.ts';
import type { ProjectedLog } from '../fold/source.ts';
import { parked, skipped } from '../parked/schema.ts';
import { chunks } from '../rebuild/schema.ts';
import { foldedVersions } from '../workshops/queries.ts';

/** Times are ISO 8601 in UTC. */
export interface ProjectionStatus {
  partitions: {
    partition: number;
    /** Cursor in the feed up to which the tables are folded. */
    position: number;
    owner: string | null;
    leaseUntil: string | null;
    rebuildRequested: boolean;
    /**
     * Of a rebuild under way: workshops that are rebuilt, of how many, and the id up to which all of them are; null before it has
     * begun and without one.
     */
    rebuilt: { done: number; total: number; after: number | null } | null;
    /** Of the last commit. */
    updatedAt: string;
  }[];
  parked: ParkedWorkshop[];
  /** Events that were given up, the newest first, 100 of them at most. */
  skipped: SkippedEvent[];
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

export interface SkippedEvent {
  workshopId: number;
  version: number;
  /** null where the log's entry cannot be parsed. */
  eventId: string | null;
  reason: string;
  skippedBy: string;
  skippedAt: string;
}

export async function projectionStatus(database: Database, log: ProjectedLog): Promise<ProjectionStatus> {
  const { drizzle } = database;
  const [found, rebuiltUpTo, waiting, givenUp, lag] = await Promise.all([
    reading(() => drizzle.select().from(checkpoints).orderBy(asc(checkpoints.partition))),
    rebuiltUpToIn(database),
    listParked(database),
    listSkipped(database),
    eventsBehind(database, log),
  ]);
  const partitions = found.map((checkpoint) => ({
    partition: checkpoint.partition,
    position: checkpoint.feedSeq,
    owner: checkpoint.owner,
    leaseUntil: isoTextOrNull(checkpoint.leaseUntil),
    rebuildRequested: checkpoint.rebuildRequested,
    rebuilt:
      checkpoint.rebuildDone === null
        ? null
        : {
            done: checkpoint.rebuildDone,
            total: checkpoint.rebuildTotal ?? 0,
            after: rebuiltUpTo.get(checkpoint.partition) ?? null,
          },
    updatedAt: isoText(checkpoint.updatedAt),
  }));
  return { partitions, parked: waiting, skipped: givenUp, lag };
}

/** By partition: the id up to which every workshop is rebuilt. */
async function rebuiltUpToIn({ drizzle }: Database): Promise<Map<number, number | null>> {
  const rows = await reading(() =>
    drizzle
      .select({ partition: chunks.partition, after: max(chunks.upTo) })
      .from(chunks)
      .where(eq(chunks.isDone, true))
      .groupBy(chunks.partition),
  );
  return new Map(rows.map(({ partition, after }) => [partition, after]));
}

export async function listParked({ drizzle }: Database): Promise<ParkedWorkshop[]> {
  const rows = await reading(() => drizzle.select().from(parked).orderBy(asc(parked.workshopId)));
  return rows.map(({ workshopId, projection, version, reason, attempts, parkedAt }) => ({
    ...{ workshopId, projection, version, reason, attempts },
    parkedAt: isoText(parkedAt),
  }));
}

const skippedShown = 100;

async function listSkipped({ drizzle }: Database): Promise<SkippedEvent[]> {
  const rows = await reading(() =>
    drizzle
      .select()
      .from(skipped)
      .orderBy(desc(skipped.skippedAt), desc(skipped.version))
      .limit(skippedShown),
  );
  return rows.map(({ skippedAt, ...row }) => ({ ...row, skippedAt: isoText(skippedAt) }));
}

/** Events that the log holds and the tables don't, of all partitions if none are named. */
export async function eventsBehind(
  database: Database,
  log: ProjectedLog,
  partitions: Iterable<number> = Array.from({ length: log.partitions }, (_, partition) => partition),
): Promise<number> {
  let behind = 0;
  for (const partition of partitions) {
    const open = await log.streams.open(partition);
    const folded = await foldedVersions(database, [...open.keys()]);
    for (const [id, version] of open) behind += Math.max(0, version - (folded.get(id) ?? 0));
  }
  return behind;
}

/** How far each partition is folded, and by whom. */
import { boolean, integer, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import { instant, whole } from '../database/columns.ts';

/** The four tables of a workshop are folded together and share one checkpoint, so that they never disagree. */
export const projectionName = 'rooms';

export const checkpoints = pgTable(
  'projection_checkpoints',
  {
    projection: text('projection').notNull(),
    partition: integer('partition').notNull(),
    /** The cursor in the partition's feed up to which the tables are folded. */
    feedSeq: whole('feed_seq').notNull(),
    /** Counts commits, also those that leave `feed_seq` where it is: tells whether one whose answer was lost came about. */
    commits: whole('commits').notNull(),
    /** Who may move it, until when; a projector's name and a random part, new at each start. */
    owner: text('owner'),
    leaseUntil: instant('lease_until'),
    /** Grows with each change of owner: a commit under an older number changes nothing. */
    fence: whole('fence').notNull(),
    /** Someone asked for the partition's tables to be rebuilt; the owner does it. */
    rebuildRequested: boolean('rebuild_requested').notNull(),
    /** Of a rebuild under way: workshops rebuilt so far, and how many there are; null before it has begun. */
    rebuildDone: integer('rebuild_done'),
    rebuildTotal: integer('rebuild_total'),
    updatedAt: instant('updated_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.projection, table.partition] })],
);

/**
 * A query that locks the checkpoints of which `where` is so, in the order of partitions: a statement that writes several of them takes
 * them from here, or two of them would wait for each other.
 */
export function lockedCheckpoints(where: string): string {
  return `select projection, partition from projection_checkpoints
    where projection = '${projectionName}' and ${where} order by partition for update`;
}

/** Who shares the partitions: also a projector that has none yet is counted. */
export const projectors = pgTable(
  'projection_projectors',
  {
    projection: text('projection').notNull(),
    owner: text('owner').notNull(),
    seenUntil: instant('seen_until').notNull(),
  },
  (table) => [primaryKey({ columns: [table.projection, table.owner] })],
);

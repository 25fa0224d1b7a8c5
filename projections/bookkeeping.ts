/**
 * The projectors' own tables: how far each partition is folded and by whom, which workshops wait for repair,
 * and which events were given up.
 */
import { boolean, integer, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import { instant, whole } from './columns.ts';

/** The four tables of a workshop are folded together and share one place, so that they never disagree. */
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
    /** Someone asked for the partition's tables to be folded anew; the owner does it. */
    rebuildRequested: boolean('rebuild_requested').notNull(),
    /** Of a rebuild under way: workshops folded anew so far, and how many there are; null before it has begun. */
    rebuildDone: integer('rebuild_done'),
    rebuildTotal: integer('rebuild_total'),
    updatedAt: instant('updated_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.projection, table.partition] })],
);

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

/** Workshops whose next event could not be folded. Their later events wait, others go on. */
export const parked = pgTable('projection_parked', {
  workshopId: whole('workshop_id').primaryKey(),
  projection: text('projection').notNull(),
  partition: integer('partition').notNull(),
  version: whole('version').notNull(),
  reason: text('reason').notNull(),
  attempts: integer('attempts').notNull(),
  parkedAt: instant('parked_at').notNull(),
  /** Someone asked for another try; the owner of the partition makes it. */
  retryRequested: boolean('retry_requested').notNull(),
});

/** Events that an operator gave up: they stay in the log, and their effect is left out, in every rebuild too. */
export const skipped = pgTable(
  'projection_skipped',
  {
    workshopId: whole('workshop_id').notNull(),
    version: whole('version').notNull(),
    /** Another event at that version, after the log lost this one, is folded. null: the log's entry cannot be parsed. */
    eventId: text('event_id'),
    /** Why it could not be folded. */
    reason: text('reason').notNull(),
    /** Who gave it up: `user 7`, or someone at the command line. */
    skippedBy: text('skipped_by').notNull(),
    skippedAt: instant('skipped_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.workshopId, table.version] })],
);

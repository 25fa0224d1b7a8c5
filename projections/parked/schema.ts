/** Which workshops wait, and which events were given up so that they need not. */
import { boolean, integer, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import { instant, whole } from '../database/columns.ts';

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

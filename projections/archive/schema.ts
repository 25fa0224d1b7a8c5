/**
 * What a workshop came to, recorded once it was over: with it one can tell whether its events are still the ones that there
 * were, and whether folding them gives what it gave then. Where the log let go of the stream this stood here before.
 */
import { integer, pgTable, text } from 'drizzle-orm/pg-core';
import { instant, whole } from '../database/columns.ts';

export const archives = pgTable('workshop_archives', {
  workshopId: whole('workshop_id').primaryKey(),
  /** Of the last event: how many there were. */
  version: whole('version').notNull(),
  /** Over all events, as `account.ts` computes it; texts that were deleted are not in it. */
  hash: text('hash').notNull(),
  /** `reducer` of the domain that folded them. */
  reducer: integer('reducer').notNull(),
  /** Digest of the room that it gave. */
  state: text('state').notNull(),
  /** Two bytes for each event, in base 64, of what it changed: they tell where another fold begins to differ. */
  steps: text('steps').notNull(),
  archivedAt: instant('archived_at').notNull(),
});

export type ArchiveRow = typeof archives.$inferSelect;

/**
 * In which order the rows of `workshop_events` came in, for whoever reads the events of all workshops. Written by a trigger of that
 * table (migration 0008) and by nothing else, so that no way of writing an event leaves it out.
 *
 * Each partition counts by itself: its counter is locked from the writing to the commit, so a reader who has seen a position has seen
 * all before it. One counter for all would make projectors wait for each other.
 */
import { integer, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import { whole } from '../database/columns.ts';

/** Events of one workshop that came in together. */
export const feed = pgTable(
  'workshop_feed',
  {
    partition: integer('partition').notNull(),
    position: whole('position').notNull(),
    workshopId: whole('workshop_id').notNull(),
    fromVersion: whole('from_version').notNull(),
    toVersion: whole('to_version').notNull(),
  },
  (table) => [primaryKey({ columns: [table.partition, table.position] })],
);

/** The last position of each partition. */
export const feedEnds = pgTable('workshop_feed_ends', {
  partition: integer('partition').primaryKey(),
  position: whole('position').notNull(),
  /** The same in every row. An embedded database that was made again counts anew, under another one. */
  generation: text('generation').notNull(),
});

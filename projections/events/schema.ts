/** Every event, kept for good, also after the log has let go of the workshop's stream. */
import { integer, jsonb, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import { instant, whole } from '../database/columns.ts';

export const eventColumns = () => ({
  workshopId: whole('workshop_id').notNull(),
  version: whole('version').notNull(),
  eventId: text('event_id').notNull(),
  type: text('type').notNull(),
  schema: integer('schema').notNull(),
  at: instant('at').notNull(),
  /** A user id, or `system`. */
  by: text('by').notNull(),
  commandId: text('command_id').notNull(),
  data: jsonb('data').notNull(),
});

export const events = pgTable('workshop_events', eventColumns(), (table) => [
  primaryKey({ columns: [table.workshopId, table.version] }),
]);

/** What had reached Postgres and then was lost by the log: kept aside, since the tables follow the log that survived. */
export const lostEvents = pgTable(
  'workshop_events_lost',
  { ...eventColumns(), lostAt: instant('lost_at').notNull() },
  (table) => [primaryKey({ columns: [table.workshopId, table.eventId] })],
);

export type EventRow = typeof events.$inferSelect;

/** One row for each workshop: what it is and how far it is folded. */
import { sql } from 'drizzle-orm';
import { index, integer, pgTable, text } from 'drizzle-orm/pg-core';
import type { Status, Visibility } from '../../src/domain/room.ts';
import { instant, whole } from '../database/columns.ts';

export const workshopColumns = () => ({
  id: whole('id').notNull(),
  hostId: whole('host_id').notNull(),
  title: text('title').notNull(),
  description: text('description'),
  visibility: text('visibility').$type<Visibility>().notNull(),
  status: text('status').$type<Status>().notNull(),
  capacity: integer('capacity'),
  scheduledAt: instant('scheduled_at').notNull(),
  durationMinutes: integer('duration_minutes'),
  startedAt: instant('started_at'),
  endedAt: instant('ended_at'),
  createdAt: instant('created_at').notNull(),
  /** The last event that all four tables of the workshop hold. */
  version: whole('version').notNull(),
  /** The log's epoch of that version: in another one the log may have lost events, and ids are compared first. */
  epoch: text('epoch').notNull(),
});

export const workshops = pgTable(
  'workshops',
  { ...workshopColumns(), id: whole('id').primaryKey() },
  (table) => [
    // Those of one partition (`inPartition`), of as many as the log has where it is begun as usual.
    index('workshops_by_partition').on(sql`(${table.id} % 64)`),
  ],
);

export type WorkshopRow = typeof workshops.$inferSelect;

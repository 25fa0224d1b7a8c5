/**
 * Whom an operator had forgotten, by id alone, and in which workshops: the request, for the owners of the partitions to take up,
 * and afterwards the record that it was done. It is also the list to go by where a backup is put back.
 */
import { integer, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import { instant, whole } from '../database/columns.ts';

export const erasures = pgTable(
  'workshop_erasures',
  {
    userId: whole('user_id').notNull(),
    workshopId: whole('workshop_id').notNull(),
    partition: integer('partition').notNull(),
    /** `user 7`, or someone at the command line. */
    requestedBy: text('requested_by').notNull(),
    requestedAt: instant('requested_at').notNull(),
    /** null until it is done. */
    doneAt: instant('done_at'),
    /** Events that lost something, and how many of them were messages. */
    events: integer('events').notNull(),
    messages: integer('messages').notNull(),
  },
  (table) => [primaryKey({ columns: [table.userId, table.workshopId] })],
);

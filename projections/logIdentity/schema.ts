/** Whose tables these are. */
import { pgTable, text } from 'drizzle-orm/pg-core';
import { instant } from '../database/columns.ts';

export const logOfTables = pgTable('projection_log', {
  projection: text('projection').primaryKey(),
  /** Of the log that is folded into them. */
  identity: text('identity').notNull(),
  /** By which copies of that log are told apart: the run of Redis that those who use the database work on. */
  run: text('run').notNull(),
  /** Until when nobody may use the database by another run; each process puts it off. */
  runUntil: instant('run_until'),
  takenAt: instant('taken_at').notNull(),
});

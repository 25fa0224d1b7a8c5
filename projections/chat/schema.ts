/** One row for each chat message, by the version of its event. A deleted one keeps its place and loses its text. */
import { pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import { instant, whole } from '../database/columns.ts';

export const chatColumns = () => ({
  workshopId: whole('workshop_id').notNull(),
  id: whole('id').notNull(),
  userId: whole('user_id').notNull(),
  displayName: text('display_name').notNull(),
  avatarUrl: text('avatar_url'),
  message: text('message'),
  offsetMs: whole('offset_ms').notNull(),
  createdAt: instant('created_at').notNull(),
  deletedAt: instant('deleted_at'),
});

export const chatMessages = pgTable('workshop_chat_messages', chatColumns(), (table) => [
  primaryKey({ columns: [table.workshopId, table.id] }),
]);

export type ChatRow = typeof chatMessages.$inferSelect;

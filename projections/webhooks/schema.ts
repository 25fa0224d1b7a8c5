/** Webhooks: where events are to be delivered, and how far each has got in each workshop. */

import { sql } from 'drizzle-orm';
import { boolean, index, integer, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import { instant, whole } from '../database/columns.ts';

export const webhooks = pgTable('workshop_webhooks', {
  /** Chance, so that one that comes back from its note meets no other. */
  id: whole('id').primaryKey(),
  url: text('url').notNull(),
  /** null: of every type. */
  types: text('types').array(),
  /** null: of every workshop. */
  workshopIds: whole('workshop_ids').array(),
  description: text('description'),
  /** Encrypted under a key that is not in the database: who reads the table cannot sign. */
  sealedSecret: text('sealed_secret').notNull(),
  /** False: nothing is sent, and what happens meanwhile waits. */
  active: boolean('active').notNull(),
  /** Why it is not active, where its receiver ended it. */
  endedBecause: text('ended_because'),
  createdBy: text('created_by').notNull(),
  createdAt: instant('created_at').notNull(),
});

/** What a webhook has of a workshop: `delivered` is the last version that was taken, `target` the last one that there is. */
export const places = pgTable(
  'workshop_webhook_places',
  {
    webhookId: whole('webhook_id')
      .notNull()
      .references(() => webhooks.id, { onDelete: 'cascade' }),
    workshopId: whole('workshop_id').notNull(),
    delivered: whole('delivered').notNull(),
    target: whole('target').notNull(),
    /** Tries of the version after `delivered` that failed. */
    attempts: integer('attempts').notNull(),
    failingSince: instant('failing_since'),
    dueAt: instant('due_at').notNull(),
    /** It was tried for days and waits for somebody to resume it. */
    waits: boolean('waits').notNull(),
    lastError: text('last_error'),
    /** Who delivers it now, until when. */
    owner: text('owner'),
    leaseUntil: instant('lease_until'),
  },
  (table) => [
    primaryKey({ columns: [table.webhookId, table.workshopId] }),
    index('workshop_webhook_places_due')
      .on(table.webhookId, table.dueAt)
      .where(sql`delivered < target and not waits`),
    index('workshop_webhook_places_troubled')
      .on(table.webhookId, table.failingSince)
      .where(sql`waits or attempts > 0`),
  ],
);

/** How far the feed was looked through for what is to be delivered, by partition. */
export const scans = pgTable('workshop_webhook_scans', {
  partition: integer('partition').primaryKey(),
  position: whole('position').notNull(),
});

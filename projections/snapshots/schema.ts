/**
 * Rooms as they were at certain versions, so that a past state need not be folded from the first event on. Nothing is kept here
 * that the events do not tell: rows may be deleted at any time, and are written again.
 */
import { integer, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import { instant, whole } from '../database/columns.ts';

export const snapshots = pgTable(
  'workshop_snapshots',
  {
    workshopId: whole('workshop_id').notNull(),
    /** `reducer` of the domain that folded the room; whoever has another one passes over the row. */
    reducer: integer('reducer').notNull(),
    /** 0: no room, but the run of this workshop's snapshots; see `snapshots.ts`. */
    version: whole('version').notNull(),
    /** Of the event at this version: where the history has another one there, the row is of events that were lost. */
    eventId: text('event_id').notNull(),
    at: instant('at').notNull(),
    /** See `room.ts`: no text of the chat is in it. */
    room: text('room').notNull(),
  },
  (table) => [primaryKey({ columns: [table.workshopId, table.reducer, table.version] })],
);

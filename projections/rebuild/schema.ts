/**
 * Where tables are rebuilt, beside those that are read. Rows come in chunks of whole workshops, each written by COPY under
 * a number of its own: they count once the chunk is done, so that what a projector wrote that died then is nobody's.
 */
import { boolean, integer, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import { attendeeColumns } from '../attendees/schema.ts';
import { chatColumns } from '../chat/schema.ts';
import { whole } from '../database/columns.ts';
import { eventColumns } from '../events/schema.ts';
import { workshopColumns } from '../workshops/schema.ts';

export const chunks = pgTable('projection_chunks', {
  id: whole('id').primaryKey().generatedAlwaysAsIdentity(),
  projection: text('projection').notNull(),
  partition: integer('partition').notNull(),
  /** All its rows are there. */
  isDone: boolean('is_done').notNull(),
  /**
   * With it every workshop of the partition up to this id is rebuilt; null where some were folded once more. The chunk
   * that is up to 0 has no rows: it is the rebuild itself, and without it what the others hold counts for nothing.
   */
  upTo: whole('up_to'),
  workshops: integer('workshops').notNull(),
  rows: integer('rows').notNull(),
});

const chunk = () => ({ chunk: whole('chunk').notNull() });

export const nextWorkshops = pgTable('workshops_next', { ...chunk(), ...workshopColumns() }, (table) => [
  primaryKey({ columns: [table.chunk, table.id] }),
]);

export const nextAttendees = pgTable(
  'workshop_attendees_next',
  { ...chunk(), ...attendeeColumns() },
  (table) => [primaryKey({ columns: [table.chunk, table.workshopId, table.userId] })],
);

export const nextChat = pgTable('workshop_chat_messages_next', { ...chunk(), ...chatColumns() }, (table) => [
  primaryKey({ columns: [table.chunk, table.workshopId, table.id] }),
]);

export const nextEvents = pgTable('workshop_events_next', { ...chunk(), ...eventColumns() }, (table) => [
  primaryKey({ columns: [table.chunk, table.workshopId, table.version] }),
]);

/** One row for each person that a workshop knows by id: how they stand to it, and when they were there. */
import { boolean, index, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import { instant, whole } from '../database/columns.ts';

export type AttendeeStatus = 'rsvp' | 'withdrawn' | 'invited' | 'joined' | 'left' | 'removed';

export const attendeeColumns = () => ({
  workshopId: whole('workshop_id').notNull(),
  userId: whole('user_id').notNull(),
  /** null until the person RSVPs or joins: an invitation names an id alone. */
  displayName: text('display_name'),
  avatarUrl: text('avatar_url'),
  status: text('status').$type<AttendeeStatus>().notNull(),
  isHost: boolean('is_host').notNull(),
  isCoHost: boolean('is_co_host').notNull(),
  canSpeak: boolean('can_speak').notNull(),
  handRaisedAt: instant('hand_raised_at'),
  /** First time present while the workshop was in its lobby or live. */
  joinedAt: instant('joined_at'),
  /** Last time of leaving; null while present. */
  leftAt: instant('left_at'),
  /** Time in the room, without the stay that is under way. */
  presentMs: whole('present_ms').notNull(),
  /** Beginning of the stay that is under way: its end adds it to `present_ms`, perhaps after a restart. */
  presentSince: instant('present_since'),
  /** Membership outlives what `status` shows: an invitation a withdrawal, an RSVP a removal. */
  rsvped: boolean('rsvped').notNull(),
  invited: boolean('invited').notNull(),
});

export const attendees = pgTable('workshop_attendees', attendeeColumns(), (table) => [
  primaryKey({ columns: [table.workshopId, table.userId] }),
  index('workshop_attendees_user').on(table.userId, table.workshopId),
]);

export type AttendeeRow = typeof attendees.$inferSelect;

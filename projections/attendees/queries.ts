/** Reads of `workshop_attendees`. */
import { and, asc, eq, gt } from 'drizzle-orm';
import { isoTextOrNull } from '../database/columns.ts';
import type { Database } from '../database/database.ts';
import { keyOf, type Page, type PageRequest, pageOf, reading } from '../database/page.ts';
import { type AttendeeRow, type AttendeeStatus, attendees } from './schema.ts';

/** Times are ISO 8601 in UTC. */
export interface AttendeeRecord {
  userId: number;
  displayName: string | null;
  avatarUrl: string | null;
  status: AttendeeStatus;
  isHost: boolean;
  isCoHost: boolean;
  canSpeak: boolean;
  handRaisedAt: string | null;
  joinedAt: string | null;
  leftAt: string | null;
  /** Time in the room; where a stay is under way, up to now. */
  presentMs: number;
}

/** Everyone the workshop knows, by user id. `now` is milliseconds since 1970. */
export function listAttendees(
  { drizzle }: Database,
  workshopId: number,
  { cursor, limit }: PageRequest,
  now: number,
): Promise<Page<AttendeeRecord>> {
  return reading(async () => {
    const after = keyOf(cursor);
    const rows = await drizzle
      .select()
      .from(attendees)
      .where(
        and(
          eq(attendees.workshopId, workshopId),
          after === undefined ? undefined : gt(attendees.userId, after),
        ),
      )
      .orderBy(asc(attendees.userId))
      .limit(limit + 1);
    return pageOf(
      rows,
      limit,
      (row) => attendeeRecord(row, now),
      (row) => row.userId,
    );
  });
}

function attendeeRecord(row: AttendeeRow, now: number): AttendeeRecord {
  const { workshopId: _, presentSince, rsvped: _rsvped, invited: _invited, ...shown } = row;
  const stay = presentSince === null ? 0 : Math.max(0, now - presentSince);
  return {
    ...shown,
    handRaisedAt: isoTextOrNull(row.handRaisedAt),
    joinedAt: isoTextOrNull(row.joinedAt),
    leftAt: isoTextOrNull(row.leftAt),
    presentMs: row.presentMs + stay,
  };
}

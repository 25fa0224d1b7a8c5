/**
 * What the room does not remember of a person: when they came and went, and how they stand to the workshop.
 *
 * ```
 *  user-rsvped ──► rsvp ───┐  lobby or live
 *  user-invited ► invited ─┴─ and present ──► joined ──► left      user-removed ──► removed
 *  rsvp-withdrawn ► withdrawn                    ▲────────┘        user-readmitted ► left, rsvp or invited
 * ```
 * An RSVP does not overwrite joined, left or removed, an invitation nor rsvp either.
 */
import type { RecordedEvent } from '../../src/domain/evolve.ts';
import { isHost, isOver, type Member, memberOf, type Room } from '../../src/domain/room.ts';
import type { AttendeeRow, AttendeeStatus } from './schema.ts';

/** Instants are milliseconds since 1970. */
export interface Attendance {
  status: AttendeeStatus;
  joinedAt: number | null;
  leftAt: number | null;
  presentMs: number;
  presentSince: number | null;
}

export function newAttendance(room: Room, userId: number): Attendance {
  const status = waiting(room, memberOf(room, userId));
  return { status, joinedAt: null, leftAt: null, presentMs: 0, presentSince: null };
}

/** Brings a person's attendance up to a room that has just folded `event`. */
export function attend(attendance: Attendance, room: Room, userId: number, event: RecordedEvent): void {
  const { at } = event;
  const present = room.present.has(userId);
  const leaves = !present && attendance.presentSince !== null;
  if (present && attendance.presentSince === null) {
    attendance.presentSince = at;
    attendance.leftAt = null;
  }
  if (!present && attendance.presentSince !== null) {
    attendance.presentMs += at - attendance.presentSince;
    attendance.presentSince = null;
    attendance.leftAt = at;
  }
  if (present && (room.status === 'lobby' || room.status === 'live')) attendance.joinedAt ??= at;
  attendance.status = statusAfter(attendance, {
    room,
    member: memberOf(room, userId),
    type: event.type,
    leaves,
  });
}

interface Change {
  room: Room;
  member: Member;
  type: string;
  /** Whether this event ended a stay. */
  leaves: boolean;
}

function statusAfter({ status, joinedAt, presentSince }: Attendance, change: Change): AttendeeStatus {
  const { room, member, type, leaves } = change;
  const joined = joinedAt !== null;
  if (member.removed) return 'removed';
  if (presentSince !== null && joined) return 'joined';
  if (leaves && (joined || isOver(room))) return 'left';
  switch (type) {
    case 'user-rsvped':
      return status === 'left' ? 'left' : 'rsvp';
    case 'rsvp-withdrawn':
      return 'withdrawn';
    case 'user-invited':
      return status === 'withdrawn' ? 'invited' : status;
    case 'user-readmitted':
      return joined ? 'left' : waiting(room, member);
    default:
      return status;
  }
}

/** Who was never there. The host is expected like who RSVP'd; a co-host by promotion alone was asked to come. */
function waiting(room: Room, member: Member): AttendeeStatus {
  return member.rsvped || isHost(room, member.userId) ? 'rsvp' : 'invited';
}

export function attendeeRow(attendance: Attendance, room: Room, userId: number): AttendeeRow {
  const { displayName, avatarUrl, canSpeak, rsvped, invited } = memberOf(room, userId);
  return {
    workshopId: room.id,
    userId,
    displayName,
    avatarUrl,
    isHost: isHost(room, userId),
    isCoHost: room.coHosts.has(userId),
    canSpeak,
    handRaisedAt: room.hands.get(userId) ?? null,
    rsvped,
    invited,
    ...attendance,
  };
}

/** Puts back into a room what a person's row keeps of the room's own state, and returns the rest. */
export function restoreAttendee(room: Room, row: AttendeeRow): Attendance {
  const { userId, displayName, avatarUrl, canSpeak, rsvped, invited, status } = row;
  const removed = status === 'removed';
  room.members.set(userId, { userId, displayName, avatarUrl, rsvped, invited, removed, canSpeak });
  if (row.isCoHost) room.coHosts.add(userId);
  // Of who is present only that they are is asked here: the version of their joining is the live room's matter.
  if (row.presentSince !== null) room.present.set(userId, 0);
  if (row.handRaisedAt !== null) room.hands.set(userId, row.handRaisedAt);
  const { joinedAt, leftAt, presentMs, presentSince } = row;
  return { status, joinedAt, leftAt, presentMs, presentSince };
}

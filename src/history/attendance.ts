/**
 * Who was there, and for how long. An attendee is whoever was in the room at some moment while its lobby was open or it was
 * live, the host too; then all of their time in the room counts. docs/analysis.md has the definitions in full.
 */
import { isHost, type Room } from '../domain/room.ts';
import { follow, isOf, type Pages, type Watch } from './following.ts';
import { minutes, rounded, type Stay, stays } from './stays.ts';

/** One attendee. Times are milliseconds since 1970. */
export interface Attendance {
  userId: number;
  firstJoinedAt: number;
  /** null while they are there. */
  lastLeftAt: number | null;
  /** In the room, a stay under way included. */
  presentMs: number;
  /** As far as the workshop was live meanwhile. */
  presentLiveMs: number;
  stays: number;
}

export interface AttendanceFold {
  watch: Watch;
  /** In the order of first joining; stays under way end `now` for this. */
  attendees(room: Room, now: number): Attendance[];
}

interface Entry extends Attendance {
  attended: boolean;
}

export function attendanceFold(): AttendanceFold {
  const entries = new Map<number, Entry>();
  const fold = stays({
    began(userId, room) {
      const entry = entries.get(userId) ?? newEntry(userId, room.at);
      entries.set(userId, entry);
      entry.stays++;
      entry.lastLeftAt = null;
      entry.attended ||= isOpen(room);
    },
    ended(stay, room) {
      const entry = entries.get(stay.userId);
      if (entry === undefined) return;
      add(entry, stay, room);
      entry.lastLeftAt = stay.leftAt;
    },
  });

  return {
    watch(event, room) {
      fold.watch(event, room);
      if (isOf(event, 'state-changed') && isOpen(room))
        for (const userId of fold.present.keys()) {
          const entry = entries.get(userId);
          if (entry !== undefined) entry.attended = true;
        }
    },
    attendees: (room, now) =>
      [...entries.values()]
        .filter(({ attended }) => attended)
        .map(({ attended: _, ...entry }) => {
          const joinedAt = fold.present.get(entry.userId);
          if (joinedAt !== undefined) add(entry, { userId: entry.userId, joinedAt, leftAt: now }, room);
          return entry;
        }),
  };
}

function newEntry(userId: number, firstJoinedAt: number): Entry {
  return {
    ...{ userId, firstJoinedAt, lastLeftAt: null },
    ...{ presentMs: 0, presentLiveMs: 0, stays: 0, attended: false },
  };
}

function add(entry: Attendance, { joinedAt, leftAt }: Stay, { startedAt }: Room): void {
  entry.presentMs += leftAt - joinedAt;
  if (startedAt !== null) entry.presentLiveMs += Math.max(0, leftAt - Math.max(joinedAt, startedAt));
}

function isOpen({ status }: Room): boolean {
  return status === 'lobby' || status === 'live';
}

/** Until when a workshop is looked at: its end, or now while it goes on. Never before its last event. */
export function horizon(room: Room, now: number): number {
  return room.endedAt ?? Math.max(now, room.at);
}

/** How long the workshop has been live, in milliseconds; null before it was. */
export function liveMs(room: Pick<Room, 'startedAt' | 'endedAt'>, until: number): number | null {
  return room.startedAt === null ? null : (room.endedAt ?? until) - room.startedAt;
}

export const roles = ['host', 'co-host', 'speaker', 'attendee'] as const;

/** A line of the attendance list. */
export interface AttendanceLine {
  userId: number;
  displayName: string | null;
  /** As it was last. */
  role: (typeof roles)[number];
  firstJoinedAt: string;
  lastLeftAt: string | null;
  minutesPresent: number;
  /** Of the live time; null where there was none. */
  sharePresent: number | null;
  rejoins: number;
}

/** One line a person, in the order of first joining. */
export async function attendanceList(
  pages: Pages,
  { workshopId, now }: { workshopId: number; now: number },
): Promise<AttendanceLine[]> {
  const fold = attendanceFold();
  const room = await follow(pages, workshopId, fold.watch);
  const until = horizon(room, now);
  return fold.attendees(room, until).map((entry) => attendanceLine(room, entry, until));
}

export function attendanceLine(room: Room, entry: Attendance, until: number): AttendanceLine {
  const { userId, firstJoinedAt, lastLeftAt, presentMs, presentLiveMs, stays } = entry;
  const live = liveMs(room, until);
  return {
    userId,
    displayName: room.members.get(userId)?.displayName ?? null,
    role: roleOf(room, userId),
    firstJoinedAt: new Date(firstJoinedAt).toISOString(),
    lastLeftAt: lastLeftAt === null ? null : new Date(lastLeftAt).toISOString(),
    minutesPresent: minutes(presentMs),
    sharePresent: live === null || live === 0 ? null : rounded(presentLiveMs / live),
    rejoins: stays - 1,
  };
}

function roleOf(room: Room, userId: number): AttendanceLine['role'] {
  if (isHost(room, userId)) return 'host';
  if (room.coHosts.has(userId)) return 'co-host';
  return room.members.get(userId)?.canSpeak ? 'speaker' : 'attendee';
}

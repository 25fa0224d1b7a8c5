/** Stays: from the joining of a person, on whatever device, to their leaving, their removal or the end of the workshop. */
import { isOver, type Room } from '../domain/room.ts';
import { following, isOf, type Pages, type Watch } from './following.ts';

/** Milliseconds since 1970. */
export interface Stay {
  userId: number;
  joinedAt: number;
  leftAt: number;
}

export interface StayWatch {
  began?(userId: number, room: Room): void;
  ended(stay: Stay, room: Room): void;
}

export interface Stays {
  watch: Watch;
  /** Since when who is present has been, in the order of joining. */
  present: ReadonlyMap<number, number>;
}

export function stays({ began, ended }: StayWatch): Stays {
  const present = new Map<number, number>();

  function end(userId: number, room: Room): void {
    const joinedAt = present.get(userId);
    if (joinedAt === undefined) return;
    present.delete(userId);
    ended({ userId, joinedAt, leftAt: room.at }, room);
  }

  return {
    present,
    watch(event, room) {
      if (isOf(event, 'user-joined')) {
        const { userId } = event.data;
        if (present.has(userId)) return;
        present.set(userId, event.at);
        began?.(userId, room);
      } else if (isOf(event, 'user-left') || isOf(event, 'user-removed')) end(event.data.userId, room);
      else if (isOf(event, 'state-changed') && isOver(room))
        for (const userId of [...present.keys()]) end(userId, room);
    },
  };
}

/** A stay as the export of intervals has it. */
export interface Interval {
  userId: number;
  joinedAt: string;
  /** null while the person is there. */
  leftAt: string | null;
  /** Up to now while the person is there. */
  minutes: number;
}

/** Every stay, in the order in which they ended, and those under way at the end. */
export async function* intervals(
  pages: Pages,
  { workshopId, now }: { workshopId: number; now: number },
): AsyncGenerator<Interval[]> {
  let ended: Interval[] = [];
  const fold = stays({ ended: (stay) => void ended.push(interval(stay, stay.leftAt)) });
  let at = now;
  for await (const room of following(pages, workshopId, fold.watch)) {
    at = Math.max(now, room.at);
    yield ended;
    ended = [];
  }
  yield [...fold.present].map(([userId, joinedAt]) => interval({ userId, joinedAt, leftAt: at }, null));
}

function interval({ userId, joinedAt, leftAt }: Stay, left: number | null): Interval {
  return {
    userId,
    joinedAt: new Date(joinedAt).toISOString(),
    leftAt: left === null ? null : new Date(left).toISOString(),
    minutes: minutes(leftAt - joinedAt),
  };
}

/** To six decimals: minutes and shares are exact to well below a millisecond, and free of the noise of computing. */
export function rounded(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}

export function minutes(ms: number): number {
  return rounded(ms / 60_000);
}

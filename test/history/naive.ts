/**
 * Timeline and attendance computed a second time, slowly and otherwise: from the rooms at every version, looking at one person
 * or one bucket at a time, with nothing carried along.
 */
import type { Room } from '../../src/domain/room.ts';
import type { Story } from '../domain/histories.ts';

export interface Asked {
  workshopId: number;
  bucketMs: number;
  now: number;
  deleted: ReadonlySet<number>;
}

const isOpen = ({ status }: Room) => status === 'lobby' || status === 'live';
const iso = (at: number | null) => (at === null ? null : new Date(at).toISOString());
const round = (value: number) => Number(value.toFixed(6));

export function naive({ events, rooms }: Story, { workshopId, bucketMs, now, deleted }: Asked) {
  const last = rooms[events.length];
  if (last === undefined) throw new Error('a story has a room at each version');
  const { startedAt, endedAt } = last;
  const until = endedAt ?? now;
  /** Each room and how long it stood so. */
  const stood = events.map((event, index) => ({
    event,
    room: rooms[index + 1] as Room,
    before: rooms[index] as Room,
    ms: (events[index + 1]?.at ?? Math.max(until, event.at)) - event.at,
  }));

  const people = [...new Set(stood.flatMap(({ room }) => [...room.present.keys()]))];
  const attendance = people
    .filter((userId) => stood.some(({ room }) => isOpen(room) && room.present.has(userId)))
    .map((userId) => {
      const here = stood.filter(({ room }) => room.present.has(userId));
      const came = stood.filter(
        ({ room, before }) => room.present.has(userId) && !before.present.has(userId),
      );
      const went = stood.filter(
        ({ room, before }) => !room.present.has(userId) && before.present.has(userId),
      );
      const live = here.filter(({ room }) => room.status === 'live').reduce((sum, { ms }) => sum + ms, 0);
      const liveMs = startedAt === null ? 0 : until - startedAt;
      const member = last.members.get(userId);
      return {
        userId,
        displayName: member?.displayName ?? null,
        role:
          userId === last.hostId
            ? 'host'
            : last.coHosts.has(userId)
              ? 'co-host'
              : member?.canSpeak
                ? 'speaker'
                : 'attendee',
        firstJoinedAt: iso(came[0]?.event.at ?? 0),
        lastLeftAt: last.present.has(userId) ? null : iso(went.at(-1)?.event.at ?? 0),
        presentMs: sum(here.map(({ ms }) => ms)),
        minutesPresent: round(sum(here.map(({ ms }) => ms)) / 60_000),
        sharePresent: liveMs === 0 ? null : round(live / liveMs),
        rejoins: came.length - 1,
      };
    });

  const messages = events.filter(({ type, version }) => type === 'chat-message' && !deleted.has(version));
  const waits = stood.flatMap(({ event, before }) => {
    if (event.type !== 'speaker-approved') return [];
    const raisedAt = before.hands.get((event.data as { userId: number }).userId);
    return raisedAt === undefined ? [] : [event.at - raisedAt];
  });
  const spoke = new Set(
    [...messages, ...events.filter(({ type }) => type === 'hand-raised' || type === 'speaker-approved')].map(
      ({ data }) => (data as { userId: number }).userId,
    ),
  );
  const minutes = attendance.map(({ presentMs }) => presentMs / 60_000);
  const open = stood.filter(({ room }) => isOpen(room)).map(({ room }) => room);

  const series = [];
  if (startedAt !== null) {
    const count = Math.max(1, Math.ceil((until - startedAt) / bucketMs));
    for (let index = 0; index < count; index++) {
      const from = index === 0 ? Number.NEGATIVE_INFINITY : startedAt + index * bucketMs;
      const to = index === count - 1 ? Number.POSITIVE_INFINITY : startedAt + (index + 1) * bucketMs;
      const isIn = (at: number) => at >= from && at < to;
      const atFirst = stood.findLast(({ event }) => event.at < from);
      const seen = [...(atFirst ? [atFirst] : []), ...stood.filter(({ event }) => isIn(event.at))]
        .map(({ room }) => room)
        .filter(isOpen);
      const most = (of: (room: Room) => number) => Math.max(0, ...seen.map(of));
      series.push({
        offsetMs: index * bucketMs,
        present: most((room) => room.present.size),
        chat: messages.filter(({ at }) => isIn(at)).length,
        handsUp: most((room) => room.hands.size),
        speakers: most(
          (room) => [...room.present.keys()].filter((id) => room.members.get(id)?.canSpeak).length,
        ),
      });
    }
  }

  return {
    attendance: attendance.map(({ presentMs: _, ...line }) => line),
    timeline: {
      ...{ workshopId, bucketMs, startedAt: iso(startedAt), endedAt: iso(endedAt), series },
      totals: {
        uniqueAttendees: attendance.length,
        peakPresent: Math.max(0, ...open.map((room) => room.present.size)),
        averageMinutesPresent: minutes.length === 0 ? null : round(sum(minutes) / minutes.length),
        medianMinutesPresent: percentileCont(minutes, 0.5),
        messages: messages.length,
        handsRaised: events.filter(({ type }) => type === 'hand-raised').length,
        medianHandWaitMs: percentileCont(waits, 0.5),
        p90HandWaitMs: percentileCont(waits, 0.9),
        spokeUpShare:
          attendance.length === 0
            ? null
            : round(attendance.filter(({ userId }) => spoke.has(userId)).length / attendance.length),
      },
    },
  };
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/** As Postgres' manual tells it: a continuous percentile, interpolating between adjacent input items. */
function percentileCont(values: readonly number[], fraction: number): number | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const row = 1 + fraction * (sorted.length - 1);
  const [floor, ceil] = [Math.floor(row), Math.ceil(row)];
  const [a = 0, b = 0] = [sorted[floor - 1], sorted[ceil - 1]];
  return round(floor === ceil ? a : (ceil - row) * a + (row - floor) * b);
}

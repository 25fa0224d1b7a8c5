/**
 * How a workshop went, as numbers over time: one pass over its events, so that a changed definition is applied to old
 * workshops by asking again. docs/analysis.md has every definition in words and formulas.
 */

import type { Room } from '../domain/room.ts';
import type { CurrentEvent } from '../domain/upcast.ts';
import { attendanceFold, horizon } from './attendance.ts';
import { follow, isOf, type Pages } from './following.ts';
import { type Mark, marksFold } from './marks.ts';
import { type Bucket, seriesFold } from './series.ts';
import { minutes, rounded } from './stays.ts';

export interface Timeline {
  workshopId: number;
  bucketMs: number;
  startedAt: string | null;
  endedAt: string | null;
  /** From the start to the end, or to now; empty before the start. */
  series: Bucket[];
  marks: Mark[];
  /** null where there is nothing to take a mean, a quantile or a share of. */
  totals: {
    uniqueAttendees: number;
    peakPresent: number;
    averageMinutesPresent: number | null;
    medianMinutesPresent: number | null;
    messages: number;
    handsRaised: number;
    medianHandWaitMs: number | null;
    p90HandWaitMs: number | null;
    spokeUpShare: number | null;
  };
}

export interface TimelineOptions {
  workshopId: number;
  /** At least `smallestBucketMs` of the workshop's live time: the fold itself sets no limit. */
  bucketMs: number;
  /** Milliseconds since 1970; a workshop that goes on is looked at until then. */
  now: number;
  /** Messages that are deleted by now. */
  deleted: ReadonlySet<number>;
}

export async function timeline(pages: Pages, options: TimelineOptions): Promise<Timeline> {
  const { workshopId, bucketMs, now, deleted } = options;
  const attendance = attendanceFold();
  const participation = participationFold();
  const marks = marksFold();
  const series = seriesFold(bucketMs);
  const room = await follow(pages, workshopId, (event, room) => {
    const said = isOf(event, 'chat-message') && event.data.message !== null && !deleted.has(event.version);
    attendance.watch(event, room);
    participation.watch(event, room, said);
    marks.watch(event, room);
    series.watch(event, room, said);
  });

  const until = horizon(room, now);
  const { buckets, peaks } = series.series(room, until);
  const attendees = attendance.attendees(room, until);
  const presentMs = attendees.map((attendee) => attendee.presentMs);
  const spokeUp = attendees.filter(({ userId }) => participation.active.has(userId)).length;
  return {
    workshopId,
    bucketMs,
    startedAt: iso(room.startedAt),
    endedAt: iso(room.endedAt),
    series: buckets,
    marks: marks.marks(room, peaks),
    totals: {
      uniqueAttendees: attendees.length,
      peakPresent: peaks.present.value,
      averageMinutesPresent: orNull(mean(presentMs), minutes),
      medianMinutesPresent: orNull(quantile(presentMs, 0.5), minutes),
      messages: participation.messages,
      handsRaised: participation.handsRaised,
      medianHandWaitMs: orNull(quantile(participation.waits, 0.5), rounded),
      p90HandWaitMs: orNull(quantile(participation.waits, 0.9), rounded),
      spokeUpShare: attendees.length === 0 ? null : rounded(spokeUp / attendees.length),
    },
  };
}

/** Rounded once, at the end. */
function orNull(value: number | null, as: (value: number) => number): number | null {
  return value === null ? null : as(value);
}

/** How many buckets a timeline has at most. */
export const maxBuckets = 50_000;
const usualBucketMs = 60_000;

export function smallestBucketMs(liveMs: number): number {
  return Math.max(1, Math.ceil(liveMs / maxBuckets));
}

/** A minute, or as many whole minutes as a very long workshop needs. */
export function defaultBucketMs(liveMs: number): number {
  return Math.max(1, Math.ceil(smallestBucketMs(liveMs) / usualBucketMs)) * usualBucketMs;
}

const iso = (at: number | null) => (at === null ? null : new Date(at).toISOString());

/** Who took part, and how long hands waited for an answer. */
interface ParticipationFold {
  /** `said`: the event is a message that counts. */
  watch(event: CurrentEvent, room: Room, said: boolean): void;
  readonly messages: number;
  readonly handsRaised: number;
  /** Milliseconds from raising to approval, one number for each hand that was answered so: exact quantiles need all. */
  readonly waits: readonly number[];
  /** Who wrote, raised a hand or was approved to speak. */
  readonly active: ReadonlySet<number>;
}

function participationFold(): ParticipationFold {
  const waits: number[] = [];
  const active = new Set<number>();
  const fold = {
    ...{ messages: 0, handsRaised: 0, waits, active },
    watch(event: CurrentEvent, room: Room, said: boolean) {
      if (said && isOf(event, 'chat-message')) {
        fold.messages++;
        active.add(event.data.userId);
      } else if (isOf(event, 'hand-raised')) {
        fold.handsRaised++;
        active.add(event.data.userId);
      } else if (isOf(event, 'speaker-approved')) {
        const { userId } = event.data;
        active.add(userId);
        // The hand comes down with an event of its own, after this one.
        const raisedAt = room.hands.get(userId);
        if (raisedAt !== undefined) waits.push(event.at - raisedAt);
      }
    },
  };
  return fold;
}

/**
 * The value below which the share `q` of the values lies, between two of them in proportion to the distance: method R-7 of
 * Hyndman and Fan (Sample Quantiles in Statistical Packages, 1996), which is `percentile_cont` of Postgres and
 * `PERCENTILE.INC` of spreadsheets. null where there is no value.
 */
export function quantile(values: readonly number[], q: number): number | null {
  const sorted = Float64Array.from(values).sort();
  const place = q * (sorted.length - 1);
  const below = sorted[Math.floor(place)];
  const above = sorted[Math.ceil(place)];
  if (below === undefined || above === undefined) return null;
  return below + (above - below) * (place - Math.floor(place));
}

function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}

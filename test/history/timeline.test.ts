/** The timeline: a small workshop computed by hand, random ones against a second, slow computation. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attendanceList } from '../../src/history/attendance.ts';
import {
  defaultBucketMs,
  maxBuckets,
  quantile,
  smallestBucketMs,
  type TimelineOptions,
  timeline,
} from '../../src/history/timeline.ts';
import {
  ana,
  approved,
  bo,
  cancelled,
  cora,
  deleted,
  demoted,
  ended,
  hanna,
  joined,
  left,
  lowered,
  opened,
  promoted,
  raised,
  readmitted,
  removed,
  rex,
  rsvped,
  said,
  scheduled,
  started,
} from '../domain/cast.ts';
import { workshopId } from '../domain/given.ts';
import { anyStory } from '../domain/histories.ts';
import { naive } from './naive.ts';
import { type Happening, isoMinute, minute, paged, told } from './told.ts';

const plan: Happening = [0, scheduled(), rsvped(ana), rsvped(bo), rsvped(rex)];
const bucketMs = 5 * 60_000;

function timelineOf(happenings: readonly Happening[], options: Partial<TimelineOptions> = {}) {
  const asked = { workshopId, bucketMs, now: minute(1_000), deleted: new Set<number>(), ...options };
  return timeline(paged(told(...happenings)), asked);
}

/** Twenty minutes live, from minute 15 on; versions in the margin. */
const workshop: readonly Happening[] = [
  plan, // 1–4
  [10, opened], // 5
  [10, joined(hanna)], // 6
  [11, joined(ana)], // 7
  [12, said(ana, 'early')], // 8
  [15, started], // 9
  [16, joined(bo)], // 10
  [17, raised(ana)], // 11
  [18, raised(bo)], // 12
  [18.5, lowered(bo)], // 13: he thought better of it
  [19, approved(ana), lowered(ana, hanna)], // 14, 15: after two minutes
  [21, raised(bo)], // 16
  [21.5, approved(bo), lowered(bo, hanna)], // 17, 18: after half a minute
  [22, said(bo, 'rude')], // 19
  [22, said(bo, 'sorry')], // 20
  [23, deleted(19, hanna)], // 21
  [25, left(ana)], // 22
  [26, joined(rex), promoted(cora)], // 23, 24
  [28, removed(rex)], // 25
  [30, joined(ana, { canSpeak: true })], // 26
  [35, ended], // 27
];

describe('the timeline of a small workshop', () => {
  it('[A1] holds the highest numbers of each bucket from the start to the end, and what was before in the first', async () => {
    const { series, ...rest } = await timelineOf(workshop, { deleted: new Set([19]) });
    expect(rest).toMatchObject({ workshopId, bucketMs, startedAt: isoMinute(15), endedAt: isoMinute(35) });
    expect(series).toEqual([
      { offsetMs: 0, present: 3, chat: 1, handsUp: 2, speakers: 2 },
      { offsetMs: bucketMs, present: 3, chat: 1, handsUp: 1, speakers: 3 },
      // Ana leaves as the third begins: what held until then holds in it too.
      { offsetMs: 2 * bucketMs, present: 3, chat: 0, handsUp: 0, speakers: 3 },
      { offsetMs: 3 * bucketMs, present: 3, chat: 0, handsUp: 0, speakers: 3 },
    ]);
  });

  it('[A2] has totals that can be computed by hand', async () => {
    const { totals } = await timelineOf(workshop, { deleted: new Set([19]) });
    // Hanna 25 minutes, Ana 14 + 5, Bo 19, Rex 2.
    expect(totals).toEqual({
      uniqueAttendees: 4,
      peakPresent: 3,
      averageMinutesPresent: 16.25,
      medianMinutesPresent: 19,
      messages: 2,
      handsRaised: 3,
      medianHandWaitMs: 75_000,
      p90HandWaitMs: 111_000,
      // Ana and Bo of the four.
      spokeUpShare: 0.5,
    });
  });

  it('[A3] marks steps of its life, appointments, removals and peaks, in order', async () => {
    const { marks } = await timelineOf(
      [...workshop.slice(0, -1), [31, demoted(cora), readmitted(rex)], [35, ended]],
      {
        deleted: new Set([19]),
      },
    );
    expect(
      marks.map(({ version, offsetMs, type, label }) => [version, offsetMs / 60_000, type, label]),
    ).toEqual([
      [5, 0, 'state-changed', 'The lobby opened'],
      [8, 0, 'peak-chat', '1 message, the most in one bucket'],
      [9, 0, 'state-changed', 'Went live'],
      [10, 1, 'peak-present', '3 present, the most at once'],
      [12, 3, 'peak-hands', '2 hands up, the most at once'],
      [24, 11, 'cohost-promoted', 'User 2 became co-host'],
      [25, 13, 'user-removed', 'Rex Removed was removed'],
      [27, 16, 'cohost-demoted', 'User 2 is no longer co-host'],
      [28, 16, 'user-readmitted', 'Rex Removed was readmitted'],
      [29, 20, 'state-changed', 'Ended'],
    ]);
    expect(marks[0]).toMatchObject({ at: isoMinute(10) });
  });

  it('leaves out the text of the deleted also where it is not there any more', async () => {
    const kept = told(...workshop).map((event) =>
      event.version === 19
        ? { ...event, data: { ...Object(event.data), message: null, deleted: true } }
        : event,
    );
    const { totals } = await timeline(paged(kept), { workshopId, bucketMs, now: 0, deleted: new Set() });
    expect(totals.messages).toBe(2);
  });
});

describe('a workshop that is not over', () => {
  it('[A4] is looked at until now while it goes on', async () => {
    const running: readonly Happening[] = [
      plan,
      [0, started, joined(hanna)],
      [3, joined(ana)],
      [6, left(ana)],
    ];
    const { series, endedAt, totals } = await timelineOf(running, { now: minute(12) });
    expect(endedAt).toBeNull();
    expect(series.map(({ present }) => present)).toEqual([2, 2, 1]);
    expect(totals).toMatchObject({ uniqueAttendees: 2, averageMinutesPresent: 7.5, medianHandWaitMs: null });
    // A clock that is behind the log's: not before its last event.
    expect((await timelineOf(running, { now: 0 })).series).toHaveLength(2);
  });

  it('[A4] has no series before it went live, and no means of nothing', async () => {
    const nobody = await timelineOf([plan]);
    expect(nobody).toEqual({
      ...{ workshopId, bucketMs, startedAt: null, endedAt: null, series: [], marks: [] },
      totals: {
        ...{ uniqueAttendees: 0, peakPresent: 0, averageMinutesPresent: null, medianMinutesPresent: null },
        ...{ messages: 0, handsRaised: 0, medianHandWaitMs: null, p90HandWaitMs: null, spokeUpShare: null },
      },
    });
    const called = await timelineOf([
      plan,
      [1, joined(bo)],
      [2, left(bo)],
      [10, opened, joined(ana)],
      [20, cancelled],
    ]);
    expect(called).toMatchObject({ startedAt: null, endedAt: isoMinute(20), series: [] });
    // Bo came and went before the doors opened.
    expect(called.totals).toMatchObject({ uniqueAttendees: 1, peakPresent: 1, averageMinutesPresent: 10 });
    expect(called.marks.map(({ type, offsetMs }) => [type, offsetMs])).toEqual([
      ['state-changed', 0],
      ['peak-present', 0],
      ['state-changed', 0],
    ]);
  });

  it('that ended as it began has one bucket', async () => {
    const { series, totals } = await timelineOf([
      plan,
      [5, started, joined(hanna), said(hanna, 'oh'), ended],
    ]);
    expect(series).toEqual([{ offsetMs: 0, present: 1, chat: 1, handsUp: 0, speakers: 1 }]);
    expect(totals).toMatchObject({ uniqueAttendees: 1, averageMinutesPresent: 0 });
  });
});

it('[A5] any workshop has the numbers of a second, slow computation', { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(anyStory, fc.constantFrom(60_000, 90_000, 7 * 60_000, 1e9), async (story, bucketMs) => {
      const last = story.events.at(-1)?.at ?? 0;
      const now = last + 130_000;
      const { deleted } = story.rooms.at(-1) ?? { deleted: new Set<number>() };
      const options = { workshopId, bucketMs, now, deleted };
      const expected = naive(story, options);
      const { marks, ...found } = await timeline(paged(story.events), options);
      expect(found).toEqual(expected.timeline);
      expect(marks.filter(({ type }) => type.startsWith('peak-present'))).toHaveLength(
        Math.min(1, expected.timeline.totals.peakPresent),
      );
      expect(await attendanceList(paged(story.events), options)).toEqual(expected.attendance);
      // What the series tells together is what the totals tell.
      if (found.startedAt === null) return;
      expect(found.series.reduce((sum, { chat }) => sum + chat, 0)).toBe(found.totals.messages);
      expect(Math.max(...found.series.map(({ present }) => present))).toBe(found.totals.peakPresent);
    }),
    { numRuns: 150 },
  );
});

describe('the size of buckets', () => {
  it('[A6] is a minute where nobody says, and never so small that there are more than fifty thousand', () => {
    const hours = 3_600_000;
    expect(defaultBucketMs(0)).toBe(60_000);
    expect(defaultBucketMs(12 * hours)).toBe(60_000);
    expect(defaultBucketMs(1_000 * hours)).toBe(120_000);
    expect(smallestBucketMs(0)).toBe(1);
    expect(smallestBucketMs(12 * hours)).toBe(864);
    for (const live of [1, 49_999, 50_000, 50_001, 12 * hours + 1])
      expect(Math.ceil(live / smallestBucketMs(live))).toBeLessThanOrEqual(maxBuckets);
  });
});

it('a quantile lies between two values in proportion to the distance', () => {
  expect(quantile([], 0.5)).toBeNull();
  expect(quantile([7], 0.9)).toBe(7);
  expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
  // As `percentile_cont(0.9) within group (order by x)` says of 1 to 10.
  expect(quantile([10, 9, 8, 7, 6, 5, 4, 3, 2, 1], 0.9)).toBeCloseTo(9.1, 12);
});

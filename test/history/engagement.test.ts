/** Who took part, and what became of hands: a small workshop by hand, random ones against the timeline and the rooms at every version. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { attendanceList } from '../../src/history/attendance.ts';
import { engagement } from '../../src/history/engagement.ts';
import { quantile, timeline } from '../../src/history/timeline.ts';
import {
  ana,
  approved,
  bo,
  ended,
  hanna,
  joined,
  left,
  lowered,
  opened,
  raised,
  removed,
  rex,
  said,
  scheduled,
  started,
} from '../domain/cast.ts';
import { workshopId } from '../domain/given.ts';
import { anyStory } from '../domain/histories.ts';
import { type Happening, isoMinute, minute, paged, told } from './told.ts';

const minutes = (count: number) => count * 60_000;

/** Live from minute 15 on; versions in the margin. */
const workshop: readonly Happening[] = [
  [0, scheduled()], // 1
  [10, opened, joined(hanna), joined(ana), joined(bo), joined(rex)], // 2–6
  [12, raised(bo)], // 7: before the start
  [15, started], // 8
  [17, raised(ana)], // 9
  [19, approved(ana), lowered(ana, hanna)], // 10, 11: after two minutes
  [20, lowered(bo, hanna)], // 12: after eight
  [21, raised(rex), raised(ana), raised(bo)], // 13–15
  [22, said(ana, 'rude'), said(ana, 'kind'), said(rex, 'hm')], // 16–18
  [23, removed(rex)], // 19
  [26, left(ana)], // 20
];

it('[A21] tells what each attendee did, and what became of each hand, the longest wait first', async () => {
  const options = { workshopId, now: minute(31), deleted: new Set([16]) };
  const { people, hands } = await engagement(paged(told(...workshop)), options);
  expect(
    people.map(({ userId, messages, handsRaised, approvals }) => [userId, messages, handsRaised, approvals]),
  ).toEqual([
    [hanna.userId, 0, 0, 0],
    [ana.userId, 1, 2, 1],
    [bo.userId, 0, 2, 0],
    [rex.userId, 1, 1, 0],
  ]);
  expect(hands.map(({ version, userId, waitMs, outcome }) => [version, userId, waitMs, outcome])).toEqual([
    [15, bo.userId, minutes(10), 'waiting'],
    [7, bo.userId, minutes(8), 'lowered'],
    [14, ana.userId, minutes(5), 'left'],
    [9, ana.userId, minutes(2), 'approved'],
    [13, rex.userId, minutes(2), 'removed'],
  ]);
  expect(hands[1]).toMatchObject({ displayName: bo.displayName, raisedAt: isoMinute(12), offsetMs: 0 });
  expect(hands[3]).toMatchObject({ raisedAt: isoMinute(17), offsetMs: minutes(2) });

  const over = await engagement(paged(told(...workshop, [30, ended])), options);
  expect(over.hands[0]).toMatchObject({ version: 15, waitMs: minutes(9), outcome: 'ended' });
});

it('[A21] agrees with timeline, attendance and the hands of the rooms, for any workshop', {
  timeout: 60_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(anyStory, async (story) => {
      const now = (story.events.at(-1)?.at ?? 0) + 130_000;
      const { deleted } = story.rooms.at(-1) ?? { deleted: new Set<number>() };
      const options = { workshopId, bucketMs: 60_000, now, deleted };
      const { people, hands } = await engagement(paged(story.events), options);
      const { totals } = await timeline(paged(story.events), options);
      const sum = (field: 'messages' | 'handsRaised') =>
        people.reduce((total, each) => total + each[field], 0);
      // Whoever acts has been in the room, though not always with its doors open.
      expect(sum('messages')).toBeLessThanOrEqual(totals.messages);
      expect(hands).toHaveLength(totals.handsRaised);
      const approved = hands.filter(({ outcome }) => outcome === 'approved').map(({ waitMs }) => waitMs);
      expect(quantile(approved, 0.5)).toBe(totals.medianHandWaitMs);
      expect(quantile(approved, 0.9)).toBe(totals.p90HandWaitMs);
      expect(people.map(({ messages: _, handsRaised: __, approvals: ___, ...line }) => line)).toEqual(
        await attendanceList(paged(story.events), options),
      );
      const waiting = hands.filter(({ outcome }) => outcome === 'waiting').map(({ userId }) => userId);
      expect(new Set(waiting)).toEqual(new Set(story.rooms.at(-1)?.hands.keys()));
      for (const hand of hands)
        expect(story.events[hand.version - 1]).toMatchObject({
          type: 'hand-raised',
          data: { userId: hand.userId },
        });
    }),
    { numRuns: 150 },
  );
});

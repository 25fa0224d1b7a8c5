/** How a workshop went, as numbers over time. Read whole, so a user's readings take turns. */
import { z } from 'zod';
import type { Room } from '../domain/room.ts';
import { liveMs } from '../history/attendance.ts';
import {
  defaultBucketMs,
  maxBuckets,
  smallestBucketMs,
  type Timeline,
  timeline,
} from '../history/timeline.ts';
import { refused } from './errors.ts';
import type { Api, RestContext } from './parts.ts';
import { whole, workshopParams } from './schemas.ts';
import { wholeHistory } from './wholeHistory.ts';

const count = z.number().int();
const time = z.string().describe('ISO 8601 in UTC');
const offsetMs = count.describe('Since the workshop went live; 0 before');

const answer = z
  .object({
    workshopId: count,
    bucketMs: count,
    startedAt: time.nullable(),
    endedAt: time.nullable(),
    series: z
      .array(
        z.object({
          offsetMs: offsetMs.describe('Where the bucket begins'),
          present: count.describe('The most at once'),
          chat: count.describe('Messages that are not deleted'),
          handsUp: count.describe('The most at once'),
          speakers: count.describe('Present and allowed to speak, the most at once'),
        }),
      )
      .describe('From the start to the end, or to now; empty before the start'),
    marks: z.array(
      z.object({
        version: count,
        at: time,
        offsetMs,
        type: z.string().describe("An event's type, or `peak-present`, `peak-hands`, `peak-chat`"),
        label: z.string(),
      }),
    ),
    totals: z
      .object({
        uniqueAttendees: count,
        peakPresent: count,
        averageMinutesPresent: z.number().nullable(),
        medianMinutesPresent: z.number().nullable(),
        messages: count.describe('Without deleted ones'),
        handsRaised: count,
        medianHandWaitMs: z.number().nullable().describe('From raising to approval'),
        p90HandWaitMs: z.number().nullable(),
        spokeUpShare: z.number().nullable().describe('Of the attendees, 0 to 1'),
      })
      .describe('null where there is nothing to take a mean, a quantile or a share of'),
  })
  .meta({ id: 'Timeline' }) satisfies z.ZodType<Timeline>;

export function timelineRoutes(app: Api, context: RestContext): void {
  app.route({
    method: 'GET',
    url: '/api/workshops/:id/timeline',
    config: { who: 'user' },
    exposeHeadRoute: false,
    schema: {
      tags: ['History'],
      summary: 'A workshop as numbers over time, with marks and totals. For host, co-hosts and analysts.',
      description: 'What each number means is told, with formulas, in `docs/analysis.md`.',
      operationId: 'get-timeline',
      params: workshopParams,
      querystring: z.object({
        bucketMs: whole(1, Number.MAX_SAFE_INTEGER)
          .optional()
          .describe(
            `Length of a bucket; a minute if left out. There are ${maxBuckets.toLocaleString('en')} buckets at most`,
          ),
      }),
      response: { 200: answer },
    },
    async handler(request, reply) {
      const { id } = request.params;
      const { pages, present } = await wholeHistory(context, request, { reply, workshopId: id });
      const now = context.log.now();
      const { room } = await present();
      const bucketMs = bucketsOf(room, now, request.query.bucketMs);
      const options = { workshopId: id, bucketMs, now, deleted: new Set(room.deleted) };
      return timeline(pages, options);
    },
  });
}

function bucketsOf(room: Room, now: number, asked: number | undefined): number {
  const live = liveMs(room, now) ?? 0;
  const smallest = smallestBucketMs(live);
  if (asked === undefined) return defaultBucketMs(live);
  if (asked >= smallest) return asked;
  throw refused(
    'invalid_payload',
    `bucketMs: must be at least ${smallest} for this workshop: there are ${maxBuckets} buckets at most`,
  );
}

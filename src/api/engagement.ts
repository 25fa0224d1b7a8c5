/** Who took part in a workshop, and how long hands waited. Read whole, so a user's readings take turns. */
import { z } from 'zod';
import { roles } from '../history/attendance.ts';
import { type Engagement, engagement, handOutcomes, handsTold } from '../history/engagement.ts';
import type { Api, RestContext } from './parts.ts';
import { workshopParams } from './schemas.ts';
import { wholeHistory } from './wholeHistory.ts';

const count = z.number().int();
const time = z.string().describe('ISO 8601 in UTC');
const name = z.string().nullable().describe('null where it is not known');

const answer = z
  .object({
    workshopId: count,
    people: z
      .array(
        z.object({
          userId: count,
          displayName: name,
          role: z.enum(roles).describe('As it was last'),
          firstJoinedAt: time,
          lastLeftAt: time.nullable().describe('null while they are there'),
          minutesPresent: z.number(),
          sharePresent: z.number().nullable().describe('Of the live time, 0 to 1; null where there was none'),
          rejoins: count,
          messages: count.describe('Without deleted ones'),
          handsRaised: count,
          approvals: count.describe('Times that they were given the right to speak'),
        }),
      )
      .describe('Attendees, in the order of first joining'),
    hands: z
      .array(
        z.object({
          version: count.describe('Of the `hand-raised`'),
          userId: count,
          displayName: name,
          raisedAt: time,
          offsetMs: count.describe('Since the workshop went live; 0 before'),
          waitMs: count.describe('From raising to what became of it, or to now'),
          outcome: z.enum(handOutcomes),
        }),
      )
      .describe(`The longest waits first, ${handsTold.toLocaleString('en')} of them at most`),
  })
  .meta({ id: 'Engagement' }) satisfies z.ZodType<Engagement>;

export function engagementRoutes(app: Api, context: RestContext): void {
  app.route({
    method: 'GET',
    url: '/api/workshops/:id/engagement',
    config: { who: 'user' },
    exposeHeadRoute: false,
    schema: {
      tags: ['History'],
      summary: 'Who took part and how, and what became of each hand. For host, co-hosts and analysts.',
      description: 'What each number means is told in `docs/analysis.md`.',
      operationId: 'get-engagement',
      params: workshopParams,
      response: { 200: answer },
    },
    async handler(request, reply) {
      const { id } = request.params;
      const { pages, present } = await wholeHistory(context, request, { reply, workshopId: id });
      const { room } = await present();
      const options = { workshopId: id, now: context.log.now(), deleted: new Set(room.deleted) };
      return engagement(pages, options);
    },
  });
}

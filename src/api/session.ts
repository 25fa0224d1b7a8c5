/** What a page asks first: who its cookie makes its reader, how one gets in here, and what the server's clock says. */
import { z } from 'zod';
import { refused } from './errors.ts';
import type { Api, RestContext } from './parts.ts';

export function sessionRoutes(app: Api, { config, lively }: RestContext): void {
  app.route({
    method: 'GET',
    url: '/api/session',
    config: { who: 'visitor' },
    schema: {
      tags: ['Identity'],
      summary: 'Who calls, whether guests are signed in here, and the time by the server’s clock.',
      operationId: 'get-session',
      response: {
        200: z.object({
          user: z
            .object({
              userId: z.number().int(),
              displayName: z.string(),
              avatarUrl: z.string().nullable(),
              roles: z.array(z.string()),
            })
            .nullable()
            .describe('null where nobody valid calls'),
          guests: z.boolean().describe('Whether `POST /api/guest` signs people in'),
          lively: z.boolean().describe('Whether `POST /api/lively` starts a simulated workshop'),
          now: z.string().describe('ISO 8601 in UTC'),
        }),
      },
    },
    async handler({ caller }) {
      const user = caller && {
        ...{ userId: caller.userId, displayName: caller.displayName, avatarUrl: caller.avatarUrl },
        roles: [...caller.roles],
      };
      const { guests = false } = config;
      return { user, guests, lively: lively !== undefined, now: new Date().toISOString() };
    },
  });

  app.route({
    method: 'POST',
    url: '/api/lively',
    config: { who: 'user' },
    schema: {
      tags: ['Workshops'],
      summary: 'Starts a simulated workshop to look at, or names the one that is under way.',
      description:
        'For trying the product out: only in embedded mode, where guests are signed in, and never in production; `forbidden` elsewhere.',
      operationId: 'start-lively-workshop',
      response: { 200: z.object({ workshopId: z.number().int() }) },
    },
    async handler() {
      if (lively === undefined) throw refused('forbidden', 'no workshops are simulated here');
      return { workshopId: await lively() };
    },
  });
}

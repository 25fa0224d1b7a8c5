/** For admins: taking up a parked workshop again, giving up the event that it is parked at, folding everything anew. */
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { refused } from './errors.ts';
import { callerOf, isOperator } from './identity.ts';
import type { Api, RestContext } from './parts.ts';
import { workshopParams } from './schemas.ts';

const tag = 'Operations';

const takenUp = z.object({
  workshopId: z.number().int(),
  parked: z.boolean().describe('true where it is parked, again or at a later event'),
});

export function adminProjectionRoutes(app: Api, { readModels }: RestContext): void {
  app.route({
    method: 'POST',
    url: '/api/admin/parked/:id/retry',
    config: { who: 'admin' },
    schema: {
      tags: [tag],
      summary: 'Takes up a parked workshop again.',
      description: '`not_found` where it is not parked; `unavailable` where no projector answers in time.',
      operationId: 'retry-parked',
      params: workshopParams,
      response: { 200: takenUp },
    },
    async handler(request) {
      const workshopId = request.params.id;
      const { parked } = await readModels.status();
      if (!parked.some((waiting) => waiting.workshopId === workshopId)) throw notParked();
      request.log.info({ workshopId, by: asking(request) }, 'an operator takes up a parked workshop again');
      return { workshopId, parked: !(await readModels.retryParked(workshopId)) };
    },
  });

  app.route({
    method: 'POST',
    url: '/api/admin/parked/:id/skip',
    config: { who: 'admin' },
    schema: {
      tags: [tag],
      summary: 'Gives up the one event at which a workshop is parked.',
      description:
        'The event stays in the log and keeps its place in `workshop_events`; its effect on the tables is left out for good, in rebuilds too. `not_found` where the workshop is not parked, `conflict` where it is parked at another version, `invalid_state` at its first event.',
      operationId: 'skip-parked',
      params: workshopParams,
      body: z.object({
        version: z.number().int().min(1).describe('At which it is parked, as the status says'),
      }),
      response: { 200: takenUp },
    },
    async handler(request) {
      const workshopId = request.params.id;
      const { version } = request.body;
      const by = asking(request);
      request.log.warn({ workshopId, version, by }, 'an operator asks to give up an event');
      const outcome = await readModels.skipParked({ workshopId, version, by });
      switch (outcome.kind) {
        case 'skipped':
          request.log.warn({ workshopId, version, by }, 'an operator gave up an event');
          return { workshopId, parked: outcome.parked };
        case 'not-parked':
          throw notParked();
        case 'elsewhere':
          throw refused('conflict', `that workshop is parked at version ${outcome.version}`);
        case 'first':
          throw refused('invalid_state', 'the first event makes the workshop: it cannot be given up');
      }
    },
  });

  app.route({
    method: 'POST',
    url: '/api/admin/projections/rebuild',
    config: { who: 'admin' },
    schema: {
      tags: [tag],
      summary: 'Asks the projectors to fold every workshop anew; the status tells how far they are.',
      operationId: 'rebuild-projections',
      response: { 202: z.object({ partitions: z.number().int() }) },
    },
    async handler(request, reply) {
      request.log.warn({ by: asking(request) }, 'an operator asks for the tables to be folded anew');
      return reply.code(202).send({ partitions: await readModels.requestRebuild() });
    },
  });
}

function notParked() {
  return refused('not_found', 'that workshop is not parked');
}

/** Who asked, as the log and the table of what was given up say it. */
function asking(request: FastifyRequest): string {
  const caller = callerOf(request);
  return isOperator(caller) ? 'the command line' : `user ${caller.userId}`;
}

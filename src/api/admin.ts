/** For admins: nodes, rooms, how far the tables are behind, and workshops whose projection waits. */
import { z } from 'zod';
import { refused } from './errors.ts';
import type { Api, RestContext } from './parts.ts';
import { nodeStatus, workshopParams } from './schemas.ts';

const tag = 'Operations';

const parkedWorkshop = z
  .object({
    workshopId: z.number().int(),
    projection: z.string(),
    version: z.number().int().describe('Of the event that could not be folded'),
    reason: z.string(),
    attempts: z.number().int(),
    parkedAt: z.string(),
  })
  .meta({ id: 'ParkedWorkshop' });

const projectionStatus = z.object({
  lag: z.number().int().describe('Events that the log holds and the tables do not'),
  parked: z.array(parkedWorkshop),
  partitions: z.array(
    z.object({
      partition: z.number().int(),
      position: z.number().int(),
      owner: z.string().nullable(),
      leaseUntil: z.string().nullable(),
      rebuildRequested: z.boolean(),
      updatedAt: z.string(),
    }),
  ),
});

export function adminRoutes(app: Api, context: RestContext): void {
  const { readModels } = context;

  app.route({
    method: 'GET',
    url: '/api/admin/status',
    config: { who: 'admin' },
    schema: {
      tags: [tag],
      summary: 'Nodes, rooms, how far the tables are behind, and what waits for an operator.',
      operationId: 'get-status',
      response: {
        200: z.object({
          nodes: z.array(nodeStatus),
          rooms: z.number().int(),
          projections: projectionStatus.nullable().describe('null while the database is away'),
        }),
      },
    },
    async handler(request) {
      const [nodes, projections] = await Promise.all([
        context.nodes(),
        readModels.status().catch((error: unknown) => {
          request.log.warn({ err: error }, 'the state of the projections cannot be read');
          return null;
        }),
      ]);
      return { nodes, rooms: nodes.reduce((sum, { rooms }) => sum + rooms, 0), projections };
    },
  });

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
      response: {
        200: z.object({
          workshopId: z.number().int(),
          parked: z.boolean().describe('true where it could not be folded this time either'),
        }),
      },
    },
    async handler(request) {
      const workshopId = request.params.id;
      const { parked } = await readModels.status();
      if (!parked.some((waiting) => waiting.workshopId === workshopId))
        throw refused('not_found', 'that workshop is not parked');
      return { workshopId, parked: !(await readModels.retryParked(workshopId)) };
    },
  });
}

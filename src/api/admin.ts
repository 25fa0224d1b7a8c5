/** For admins: nodes, rooms, how far the tables are behind, and workshops whose projection waits. */
import { z } from 'zod';
import type { Api, RestContext } from './parts.ts';
import { nodeStatus } from './schemas.ts';

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

const skippedEvent = z
  .object({
    workshopId: z.number().int(),
    version: z.number().int(),
    eventId: z.string().nullable().describe("null where the log's entry cannot be parsed"),
    reason: z.string().describe('Why it could not be folded'),
    skippedBy: z.string(),
    skippedAt: z.string(),
  })
  .meta({ id: 'SkippedEvent' });

const projectionStatus = z.object({
  lag: z.number().int().describe('Events that the log holds and the tables do not'),
  parked: z.array(parkedWorkshop),
  skipped: z.array(skippedEvent).describe('Events that were given up, the newest first, 100 at most'),
  partitions: z.array(
    z.object({
      partition: z.number().int(),
      position: z.number().int(),
      owner: z.string().nullable(),
      leaseUntil: z.string().nullable(),
      rebuildRequested: z.boolean(),
      rebuilt: z
        .object({
          done: z.number().int(),
          total: z.number().int(),
          after: z.number().int().nullable().describe('Every workshop up to this id was folded anew'),
        })
        .nullable()
        .describe('Workshops of a rebuild under way'),
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
}

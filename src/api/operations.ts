/** For those who run it: whether the process is up and can serve, its metrics, and the state of the projections. */
import { z } from 'zod';
import { wireError } from '../protocol/errors.ts';
import { errorBody, refused } from './errors.ts';
import type { Api, RestContext } from './parts.ts';
import { workshopParams } from './schemas.ts';

/** How long a store may take to answer before it counts as away, in milliseconds. */
const patienceMs = 1_500;
const tag = 'Operations';

const nodeStatus = z
  .object({
    node: z.string(),
    rooms: z.number().int().describe('With sockets on the node'),
    sockets: z.number().int(),
    upSeconds: z.number().int(),
  })
  .meta({ id: 'Node' });

export type NodeStatus = z.infer<typeof nodeStatus>;

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

const store = z.enum(['ok', 'away']);
const readiness = z.object({
  status: z.enum(['ready', 'degraded']).describe('`degraded`: rooms work, lists and searches do not'),
  log: store,
  database: store,
});

/** Returns what `drain()` of the server does. */
export function operationRoutes(app: Api, context: RestContext): () => void {
  const { health, metrics, readModels, node } = context;
  let draining = false;

  app.route({
    method: 'GET',
    url: '/healthz',
    config: { who: 'anyone' },
    schema: {
      tags: [tag],
      summary: 'The process is up.',
      operationId: 'get-health',
      response: { 200: z.object({ status: z.literal('up') }) },
    },
    handler: async () => ({ status: 'up' as const }),
  });

  app.route({
    method: 'GET',
    url: '/readyz',
    config: { who: 'anyone' },
    schema: {
      tags: [tag],
      summary: 'The process can serve: the log answers. A database that is away shows as `degraded`.',
      operationId: 'get-readiness',
      response: {
        200: readiness,
        503: errorBody.extend({ status: z.enum(['draining', 'unavailable']), log: store, database: store }),
      },
    },
    async handler(_, reply) {
      const [log, database] = await Promise.all([stateOf(health.log), stateOf(health.database)]);
      if (!draining && log === 'ok')
        return { status: database === 'ok' ? ('ready' as const) : ('degraded' as const), log, database };
      const status = draining ? 'draining' : 'unavailable';
      const { code, message } = wireError(
        'unavailable',
        draining ? 'this node is shutting down' : 'the log does not answer',
      );
      return reply
        .code(503)
        .header('retry-after', 1)
        .send({ status, log, database, error: { code, message } });
    },
  });

  app.route({
    method: 'GET',
    url: '/metrics',
    config: { who: 'anyone' },
    schema: {
      tags: [tag],
      summary: "Metrics in Prometheus' text format.",
      operationId: 'get-metrics',
      response: {
        200: { description: 'Metrics', content: { 'text/plain': { schema: z.string() } } },
      },
    },
    handler: async (_, reply) =>
      reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  });

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
        context.nodes?.() ?? thisNode(),
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

  async function thisNode(): Promise<NodeStatus[]> {
    const value = async (gauge: typeof metrics.rooms) => (await gauge.get()).values[0]?.value ?? 0;
    const [rooms, sockets] = await Promise.all([value(metrics.rooms), value(metrics.sockets)]);
    return [{ node, rooms, sockets, upSeconds: Math.floor(process.uptime()) }];
  }

  return () => {
    draining = true;
  };
}

async function stateOf(check: () => Promise<void>): Promise<'ok' | 'away'> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'away'>((resolve) => {
    timer = setTimeout(() => resolve('away'), patienceMs);
  });
  try {
    return await Promise.race([check().then(() => 'ok' as const), late]);
  } catch {
    // Why it is away stands in the log of whoever keeps the connection.
    return 'away';
  } finally {
    clearTimeout(timer);
  }
}

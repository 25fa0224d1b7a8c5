/** For those who run it, without signing in: whether the process is up, whether it can serve, and its metrics. */
import { z } from 'zod';
import { wireError } from '../protocol/errors.ts';
import { errorBody } from './errors.ts';
import type { Api, RestContext } from './parts.ts';

/** How long a store may take to answer before it counts as away, in milliseconds. */
const patienceMs = 1_500;
const tag = 'Operations';

const store = z.enum(['ok', 'away']);
const readiness = z.object({
  status: z.enum(['ready', 'degraded']).describe('`degraded`: rooms work, lists and searches do not'),
  log: store,
  database: store,
});

/** Returns what `drain()` of the server does. */
export function operationRoutes(app: Api, { health, metrics }: RestContext): () => void {
  let draining = false;
  // Whoever keeps a connection for further requests takes them elsewhere.
  app.addHook('onSend', async (_, reply) => {
    if (draining) reply.header('connection', 'close');
  });

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

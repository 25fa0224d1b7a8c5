/** For those who run it, without signing in: whether the process is up, whether it can serve, and its metrics. */
import { z } from 'zod';
import { sqlState } from '../../projections/database/database.ts';
import { DatabaseUnfit } from '../../projections/database/fitness.ts';
import { wireError } from '../protocol/errors.ts';
import { inTime } from '../timing/inTime.ts';
import { errorBody } from './errors.ts';
import type { Api, RestContext } from './parts.ts';

/** How long a store may take to answer before it counts as away, in milliseconds. */
const patienceMs = 1_500;
const tag = 'Operations';

const store = z.enum(['ok', 'away']);
const database = z
  .enum(['ok', 'away', 'unusable'])
  .describe(
    '`unusable`: it answers, and is not as the tables need it; it is looked at again at each request',
  );
const readiness = z.object({
  status: z.enum(['ready', 'degraded']).describe('`degraded`: rooms work, lists and searches do not'),
  log: store,
  database,
  reason: z
    .string()
    .optional()
    .describe('Why the database cannot be used, in its own words where it has any'),
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
      summary:
        'The process can serve: the log answers. A database that is away, or lacks what the tables need, shows as `degraded`.',
      operationId: 'get-readiness',
      response: {
        200: readiness,
        503: errorBody.extend({ status: z.enum(['draining', 'unavailable']), log: store, database }),
      },
    },
    async handler(_, reply) {
      const [{ state: log, error }, tables] = await Promise.all([
        stateOf(health.log),
        stateOf(health.database),
      ]);
      const { state: database, reason } = tables.state === 'ok' ? tables : whyDegraded(tables.error);
      if (!draining && log === 'ok')
        return {
          status: database === 'ok' ? ('ready' as const) : ('degraded' as const),
          ...{ log, database },
          ...(reason !== undefined && { reason }),
        };
      const status = draining ? 'draining' : 'unavailable';
      const { code, message } = wireError(
        'unavailable',
        draining ? 'this node is shutting down' : whyAway(error),
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

async function stateOf(
  check: () => Promise<void>,
): Promise<{ state: 'ok' | 'away'; error?: unknown; reason?: string }> {
  try {
    await inTime(check(), patienceMs, 'the store');
    return { state: 'ok' };
  } catch (error) {
    return { state: 'away', error };
  }
}

/** What an operator is to look at: a log that answers and takes nothing is another matter than one that does not answer. */
function whyAway(error: unknown): string {
  const [answer = ''] = error instanceof Error && error.name === 'ReplyError' ? error.message.split(' ') : [];
  if (answer === '') return 'the log does not answer';
  return refusals.get(answer) ?? 'the log refuses what is written';
}

/** That it is being started, stopped or has no connection left is nothing about what is in it. */
const passing = /^(08|53|57)/;

/** What the database says for itself, or what it was found to be. */
function whyDegraded(error: unknown): { state: 'away' | 'unusable'; reason?: string } {
  const code = sqlState(error);
  if (error instanceof Error && (code !== undefined || error instanceof DatabaseUnfit)) {
    const reason = error.message.split('\n', 1)[0] ?? '';
    return { state: code !== undefined && passing.test(code) ? 'away' : 'unusable', reason };
  }
  return { state: 'away' };
}

/** Redis' own words for why it takes nothing. */
const refusals: ReadonlyMap<string, string> = new Map([
  ['READONLY', 'the log is a read-only replica: another Redis is the primary by now'],
  ['OOM', 'the memory of the log is full'],
  ['MISCONF', 'the log cannot write to its disk'],
  ['LOADING', 'the log is still reading what it keeps'],
  ['NOAUTH', 'the log asks for a password'],
  ['NOPERM', 'the log does not permit this user to write'],
]);

/**
 * The events of all workshops, for warehouses: each workshop's in order and none left out, from a cursor on that is good for ever. The
 * tables are read, so it follows on the rooms as lists do.
 */
import { z } from 'zod';
import type { FeedEvent, FeedPage, FeedRequest } from '../../projections/feed/queries.ts';
import { historyEvent } from '../protocol/wire.ts';
import { pause } from '../timing/retry.ts';
import { refused } from './errors.ts';
import { callerOf } from './identity.ts';
import type { Api, RestContext } from './parts.ts';
import { historyItem, whole } from './schemas.ts';
import { ndjson, sendText, usualPatience, wantsLines } from './streams.ts';

/** Of one user. Most of them wait, and ask the database four times a second for a row of each partition. */
const following = { atOnce: 16, waiting: 100 };
const lookMs = 250;

const query = z.object({
  after: z
    .string()
    .min(1)
    .max(2_000)
    .optional()
    .describe('`nextCursor` of the page before; the beginning if left out'),
  limit: whole(1, 1_000).default(100),
  waitMs: whole(0, 30_000).default(0).describe('Where there is nothing, how long to wait for something'),
});

const item = z.object({ workshopId: z.number().int() }).extend(historyItem.shape).meta({ id: 'FeedEvent' });
const nextCursor = z
  .string()
  .describe('`after` of the next page; also at the end, where the next page waits for more');

export function feedRoutes(app: Api, { readModels, turnsAt, patience = usualPatience }: RestContext): void {
  const turns = turnsAt(following);
  app.route({
    method: 'GET',
    url: '/api/feed',
    config: { who: 'user' },
    exposeHeadRoute: false,
    schema: {
      tags: ['History'],
      summary:
        "The events of all workshops, each workshop's in order and none left out. For analysts and admins.",
      description:
        `Page by page, or with \`Accept: ${ndjson}\` one event to a line, and \`{ "nextCursor": … }\` in the last. An event may come ` +
        'again where tables were made anew or the log lost its tail: `eventId` tells it from another one.',
      operationId: 'read-feed',
      querystring: query,
      response: {
        200: {
          description: 'The events',
          content: {
            'application/json': { schema: z.object({ items: z.array(item), nextCursor }) },
            [ndjson]: { schema: z.union([item, z.object({ nextCursor })]) },
          },
        },
      },
    },
    async handler(request, reply) {
      const { userId, roles } = callerOf(request);
      if (roles.length === 0) throw refused('forbidden', 'the feed is for analysts and admins');
      const gone = new AbortController();
      reply.raw.once('close', () => gone.abort(refused('conflict', 'nobody waits for the answer any more')));
      await turns.take(userId, reply.raw);
      const { waitMs, ...asked } = request.query;
      const page = await awaited(readModels.feed, asked, { waitMs, signal: gone.signal });
      const { nextCursor } = page;
      if (!wantsLines(request)) return { items: page.events.map(itemOf), nextCursor };
      reply.type(`${ndjson}; charset=utf-8`);
      return sendText(reply, linesOf(page), patience);
    },
  });
}

interface Waiting {
  waitMs: number;
  signal: AbortSignal;
}

/** A page with something in it, or what there is when the time is over. */
async function awaited(
  read: (request: FeedRequest) => Promise<FeedPage>,
  request: FeedRequest,
  { waitMs, signal }: Waiting,
): Promise<FeedPage> {
  const until = performance.now() + waitMs;
  for (let asked = request; ; ) {
    const page = await read(asked);
    const left = until - performance.now();
    if (page.events.length > 0 || left <= 0) return page;
    // What was taken back since is not looked at twice.
    asked = { ...request, after: page.nextCursor };
    await pause(Math.min(lookMs, left), signal);
  }
}

export const feedLine = (event: FeedEvent) => `${JSON.stringify(itemOf(event))}\n`;

async function* linesOf({ events, nextCursor }: FeedPage): AsyncGenerator<string> {
  for (const event of events) yield feedLine(event);
  yield `${JSON.stringify({ nextCursor })}\n`;
}

/** Deleted texts are gone from the rows themselves. */
const nothingDeleted = new Set<number>();

function itemOf({ workshopId, event, startedAt }: FeedEvent) {
  return { workshopId, ...historyEvent(event, { startedAt, deleted: nothingDeleted }) };
}

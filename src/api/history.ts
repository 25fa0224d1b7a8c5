/**
 * What happened in a workshop, event by event, read wherever it is kept. A page reads a bounded number of events, however few of
 * them were asked for; the whole is streamed, page by page and only as fast as it is read.
 */
import { setImmediate as immediate } from 'node:timers/promises';
import { z } from 'zod';
import { eventTypes } from '../domain/catalog.ts';
import type { User } from '../domain/define.ts';
import type { RecordedEvent } from '../domain/evolve.ts';
import { current } from '../domain/upcast.ts';
import type { OpenHistory } from '../history/history.ts';
import { historyEvent } from '../protocol/wire.ts';
import { refused } from './errors.ts';
import { callerOf } from './identity.ts';
import type { Api, RestContext } from './parts.ts';
import { historyItem, idInAddress, whole, workshopParams } from './schemas.ts';
import { ndjson, sendText, usualPatience, wantsLines } from './streams.ts';

const defaultLimit = 100;
const pageSize = 1_000;
/** Lines that are made in one go: between two pieces others are answered. */
const perPiece = 100;
/** Events that one request for a page reads at most: 20 pages, about 50 ms of the log's time. */
const maxScanned = 20 * pageSize;

const query = z.object({
  after: whole(0, Number.MAX_SAFE_INTEGER).default(0).describe('Events after this version'),
  limit: whole(1, 1_000)
    .optional()
    .describe(`${defaultLimit} if left out; as ${ndjson} everything if left out`),
  type: z.enum(eventTypes).optional().describe('Events of this type alone'),
  userId: idInAddress.optional().describe('Events about or by this user alone'),
});

type Query = z.infer<typeof query>;

export function historyRoutes(app: Api, context: RestContext): void {
  app.route({
    method: 'GET',
    url: '/api/workshops/:id/events',
    config: { who: 'user' },
    // The answer to HEAD would be the whole stream, read and thrown away.
    exposeHeadRoute: false,
    schema: {
      tags: ['History'],
      summary: 'The events of a workshop, in order. For host, co-hosts and analysts.',
      description:
        `Page by page, or with \`Accept: ${ndjson}\` the whole, one event to a line. Where \`type\` or \`userId\` is given a ` +
        'page may have fewer items than `limit`, even none, and still be followed by another: go on until `nextAfter` is null.',
      operationId: 'list-events',
      params: workshopParams,
      querystring: query,
      response: {
        200: {
          description: 'The events',
          content: {
            'application/json': {
              schema: z.object({
                items: z.array(historyItem),
                nextAfter: z.number().int().nullable().describe('`after` of the next page; null at the end'),
              }),
            },
            [ndjson]: { schema: historyItem },
          },
        },
      },
    },
    async handler(request, reply) {
      const { id } = request.params;
      const user = callerOf(request);
      await context.rooms.ofHistory(id, user);
      const history = await context.history.open(id);
      if (history === undefined) throw refused('not_found');
      const asked = { context, history, user, query: request.query };
      if (!wantsLines(request)) return historyPage(asked);
      await context.readings.take(asked.user.userId, reply.raw);
      reply.type(`${ndjson}; charset=utf-8`);
      return sendText(reply, historyLines(asked), context.patience ?? usualPatience);
    },
  });
}

interface Asked {
  context: RestContext;
  history: OpenHistory;
  user: User;
  query: Query;
}

async function historyPage({ context, history, user, query }: Asked) {
  const { limit = defaultLimit, after } = query;
  const isFiltered = query.type !== undefined || query.userId !== undefined;
  const found: RecordedEvent[] = [];
  let scanned = after;
  while (found.length < limit && scanned < history.version && scanned < after + maxScanned) {
    for (const event of await history.read(scanned, isFiltered ? pageSize : limit)) {
      scanned = event.version;
      if (matches(event, query)) found.push(event);
      if (found.length === limit) break;
    }
  }
  // Asked after the reading: what was deleted by now is deleted in the answer.
  const { room } = await context.rooms.ofHistory(history.workshopId, user);
  return {
    items: found.map((event) => historyEvent(event, room)),
    nextAfter: scanned > after && scanned < history.version ? scanned : null,
  };
}

/** Up to the version at which the request found the workshop, so that it ends also where the workshop goes on. */
async function* historyLines({ context, history, user, query }: Asked): AsyncGenerator<string> {
  let left = query.limit ?? Number.POSITIVE_INFINITY;
  for await (const events of history.pages(query.after, pageSize)) {
    const { room } = await context.rooms.ofHistory(history.workshopId, user);
    const found = events.filter((event) => matches(event, query)).slice(0, left);
    left -= found.length;
    for (let from = 0; from < found.length; from += perPiece) {
      const piece = found.slice(from, from + perPiece);
      yield piece.map((event) => `${JSON.stringify(historyEvent(event, room))}\n`).join('');
      // A piece that the system takes at once would be followed by the next one without anyone else's turn.
      await immediate();
    }
    if (left === 0) return;
  }
}

/** Who an event is about stands in its data, under these names. */
const people = ['userId', 'by', 'hostId'] as const;

function matches(event: RecordedEvent, query: Query): boolean {
  const { type, by, data } = current(event);
  if (query.type !== undefined && type !== query.type) return false;
  if (query.userId === undefined || by === query.userId) return true;
  const named = data as Partial<Record<(typeof people)[number], unknown>>;
  return people.some((field) => named[field] === query.userId);
}

/** The chat after the fact: reading it, and taking messages out of it. Writing is the room's matter. */
import type { ChatView } from '../protocol/wire.ts';
import { commandRoute } from './commands.ts';
import { refused } from './errors.ts';
import { callerOf } from './identity.ts';
import type { Api, RestContext } from './parts.ts';
import { listedChatLine, messageParams, page, whole, workshopPageQuery, workshopParams } from './schemas.ts';

const tag = 'Chat';

const chatQuery = workshopPageQuery.extend({
  before: whole(1, Number.MAX_SAFE_INTEGER)
    .optional()
    .describe('A message’s id: the last `limit` messages before it, in one page; not together with `cursor`'),
});

export function chatRoutes(app: Api, context: RestContext): void {
  const { readModels, rooms } = context;

  app.route({
    method: 'GET',
    url: '/api/workshops/:id/chat',
    config: { who: 'user' },
    schema: {
      tags: [tag],
      summary:
        'The chat from its first message on. For members, analysts and admins. May lag: see `minVersion`.',
      operationId: 'list-chat',
      params: workshopParams,
      querystring: chatQuery,
      response: { 200: page(listedChatLine) },
    },
    async handler(request) {
      const { id } = request.params;
      const { minVersion, before, ...asked } = request.query;
      if (before !== undefined && asked.cursor !== undefined)
        throw refused('invalid_payload', '`before` and `cursor` do not go together');
      const { room } = await rooms.ofMembers(id, callerOf(request));
      if (minVersion !== undefined) await readModels.waitForVersion(id, minVersion);
      const { items, nextCursor } =
        before === undefined
          ? await readModels.chat(id, asked)
          : { items: await readModels.chatBefore(id, { before, limit: asked.limit }), nextCursor: null };
      // The tables may not know yet of what was deleted a moment ago.
      const told = (line: ChatView) => ({
        ...line,
        ...(room.deleted.has(line.id) && { message: null, deleted: true as const }),
        offsetMs: line.offset_ms,
      });
      return { items: items.map(told), nextCursor };
    },
  });

  commandRoute(app, context, {
    method: 'DELETE',
    url: '/api/workshops/:id/chat/:messageId',
    command: 'withdraw-message',
    tag,
    params: messageParams,
  });
}

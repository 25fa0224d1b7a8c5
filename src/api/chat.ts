/** The chat after the fact: reading it, and taking messages out of it. Writing is the room's matter. */
import { commandRoute } from './commands.ts';
import { callerOf } from './identity.ts';
import type { Api, RestContext } from './parts.ts';
import { chatLine, messageParams, page, workshopPageQuery, workshopParams } from './schemas.ts';

const tag = 'Chat';

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
      querystring: workshopPageQuery,
      response: { 200: page(chatLine) },
    },
    async handler(request) {
      const { id } = request.params;
      const { minVersion, ...asked } = request.query;
      await rooms.ofMembers(id, callerOf(request));
      if (minVersion !== undefined) await readModels.waitForVersion(id, minVersion);
      return readModels.chat(id, asked);
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

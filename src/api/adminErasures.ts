/** For admins: having a person forgotten, and how far that is. */
import { z } from 'zod';
import { askingOf } from './identity.ts';
import type { Api, RestContext } from './parts.ts';
import { idInAddress } from './schemas.ts';

const erasure = z.object({
  userId: z.number().int(),
  left: z.number().int().describe('Workshops that are still to be looked at'),
  workshops: z.number().int().describe('In which something was taken away, also in earlier erasures'),
  events: z.number().int(),
  messages: z.number().int(),
});

const params = z.object({ userId: idInAddress });

export function adminErasureRoutes(app: Api, { readModels }: RestContext): void {
  const progress = async (userId: number) => ({ userId, ...(await readModels.erasure(userId)) });

  app.route({
    method: 'POST',
    url: '/api/admin/erasures/:userId',
    config: { who: 'admin' },
    schema: {
      tags: ['Operations'],
      summary: 'Has a person forgotten: their name, picture and messages, everywhere.',
      description:
        'What they did stays, under their id, so that counts and order do. The projectors do it; ask again for how far they are. It cannot be undone, and may be repeated.',
      operationId: 'erase-user',
      params,
      response: { 202: erasure },
    },
    async handler(request, reply) {
      const { userId } = request.params;
      const by = askingOf(request);
      request.log.warn({ userId, by }, 'an operator has a person forgotten');
      await readModels.requestErasure({ userId, by });
      return reply.code(202).send(await progress(userId));
    },
  });

  app.route({
    method: 'GET',
    url: '/api/admin/erasures/:userId',
    config: { who: 'admin' },
    schema: {
      tags: ['Operations'],
      summary: 'How far the forgetting of a person is.',
      operationId: 'get-erasure',
      params,
      response: { 200: erasure },
    },
    handler: (request) => progress(request.params.userId),
  });
}

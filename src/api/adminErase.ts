/** For admins: forgetting a person, told line by line as it goes. */
import { Readable } from 'node:stream';
import { z } from 'zod';
import { type ErasingTold, erasingTold } from '../../projections/erase/erase.ts';
import { asking } from './adminProjections.ts';
import type { Api, RestContext } from './parts.ts';
import { idInAddress } from './schemas.ts';

const lines = 'application/x-ndjson';

export function adminEraseRoutes(app: Api, { readModels }: RestContext): void {
  app.route({
    method: 'POST',
    url: '/api/admin/users/:id/erase',
    config: { who: 'admin' },
    schema: {
      tags: ['Operations'],
      summary: "Removes a person's name, picture and messages everywhere; counts and order stay.",
      description:
        'One JSON object to a line: how far it is, and at the end a summary. Without a summary it broke off: ask again. It stops where nobody reads it.',
      operationId: 'erase-user',
      params: z.object({ id: idInAddress }),
      response: { 200: { description: 'Progress', content: { [lines]: { schema: erasingTold } } } },
    },
    async handler(request, reply) {
      const userId = request.params.id;
      request.log.warn({ userId, by: asking(request) }, 'an operator has a person erased');
      const reading = new AbortController();
      reply.raw.once('close', () => reading.abort(new Error('the reader went away')));
      const told = readModels.erase({ userId, signal: reading.signal });
      const stream = Readable.from(linesOf(told), { highWaterMark: 1 });
      // The schema of this type of answer is that of a line, not of the stream of them.
      return reply.type(`${lines}; charset=utf-8`).send(stream as never);
    },
  });
}

async function* linesOf(erasing: AsyncIterable<ErasingTold>): AsyncGenerator<string> {
  for await (const each of erasing) yield `${JSON.stringify(each)}\n`;
}

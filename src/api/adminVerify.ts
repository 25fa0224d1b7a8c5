/** For admins: the log folded anew and held against the tables, told line by line as it goes. */
import { Readable } from 'node:stream';
import { z } from 'zod';
import { type Told, told } from '../../projections/verify/findings.ts';
import { callerOf } from './identity.ts';
import type { Api, RestContext } from './parts.ts';
import { idInAddress } from './schemas.ts';

const lines = 'application/x-ndjson';

/** Every event of every workshop is read: one after the other. */
const oneAtATime = { atOnce: 1, waiting: 5 };

export function adminVerifyRoutes(app: Api, { readModels, turnsAt }: RestContext): void {
  const verifications = turnsAt(oneAtATime);
  app.route({
    method: 'GET',
    url: '/api/admin/verify',
    config: { who: 'admin' },
    exposeHeadRoute: false,
    schema: {
      tags: ['Operations'],
      summary: 'Folds the log anew and compares it with every row of every table.',
      description:
        'One JSON object to a line: what differs, how far it is, and at the end a summary. Without a summary it broke off; nothing at all where there is no such workshop.',
      operationId: 'verify',
      querystring: z.object({
        workshopId: idInAddress.optional().describe('This workshop alone; all of them if left out'),
      }),
      response: { 200: { description: 'Findings', content: { [lines]: { schema: told } } } },
    },
    async handler(request, reply) {
      const { workshopId } = request.query;
      await verifications.take(callerOf(request).userId, reply.raw);
      const reading = new AbortController();
      reply.raw.once('close', () => reading.abort(new Error('the reader went away')));
      if (reply.raw.closed) reading.abort(new Error('the reader went away'));
      const verified = readModels.verify({
        ...(workshopId !== undefined && { workshopId }),
        signal: reading.signal,
      });
      const stream = Readable.from(linesOf(verified), { highWaterMark: 1 });
      // The schema of this type of answer is that of a line, not of the stream of them.
      return reply.type(`${lines}; charset=utf-8`).send(stream as never);
    },
  });
}

async function* linesOf(verified: AsyncIterable<Told>): AsyncGenerator<string> {
  for await (const each of verified) yield `${JSON.stringify(each)}\n`;
}

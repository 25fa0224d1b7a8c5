/**
 * For admins: what is checked by folding everything again – the tables against the log, archived workshops against what was
 * recorded of them – reported line by line as it goes.
 */

import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { reported } from '../../projections/verify/findings.ts';
import { checkReplay, replayReport } from '../history/checkReplay.ts';
import { callerOf } from './identity.ts';
import type { Api, RestContext } from './parts.ts';
import { idInAddress } from './schemas.ts';
import { ndjson } from './streams.ts';

/** Every event of every workshop is read: one after the other. */
const oneAtATime = { atOnce: 1, waiting: 5 };

export function adminCheckRoutes(app: Api, { readModels, history, turnsAt }: RestContext): void {
  const verifications = turnsAt(oneAtATime);
  const replays = turnsAt(oneAtATime);

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
      response: { 200: { description: 'Findings', content: { [ndjson]: { schema: reported } } } },
    },
    async handler(request, reply) {
      const { workshopId } = request.query;
      await verifications.take(callerOf(request).userId, reply.raw);
      return sendFindings(reply, (signal) =>
        readModels.verify({ ...(workshopId !== undefined && { workshopId }), signal }),
      );
    },
  });

  app.route({
    method: 'GET',
    url: '/api/admin/check-replay',
    config: { who: 'admin' },
    exposeHeadRoute: false,
    schema: {
      tags: ['Operations'],
      summary: 'Folds every archived workshop again and compares it with what was recorded.',
      description:
        'One JSON object to a line: what differs, how far it is, and at the end a summary. Without a summary it broke off.',
      operationId: 'check-replay',
      response: { 200: { description: 'Findings', content: { [ndjson]: { schema: replayReport } } } },
    },
    async handler(request, reply) {
      await replays.take(callerOf(request).userId, reply.raw);
      return sendFindings(reply, (signal) => checkReplay({ archives: readModels.archives, history, signal }));
    },
  });
}

/** As they are found, and no further once nobody reads them. */
function sendFindings(reply: FastifyReply, find: (signal: AbortSignal) => AsyncIterable<object>): never {
  const reading = new AbortController();
  reply.raw.once('close', () => reading.abort(new Error('the reader went away')));
  if (reply.raw.closed) reading.abort(new Error('the reader went away'));
  const stream = Readable.from(linesOf(find(reading.signal)), { highWaterMark: 1 });
  // The schema of this type of answer is that of a line, not of the stream of them.
  return reply.type(`${ndjson}; charset=utf-8`).send(stream) as never;
}

async function* linesOf(found: AsyncIterable<object>): AsyncGenerator<string> {
  for await (const each of found) yield `${JSON.stringify(each)}\n`;
}

/** For admins: archived workshops folded again and held against what they came to, told line by line as it goes. */
import { Readable } from 'node:stream';
import { checkReplay, type ReplayTold, replayTold } from '../history/checkReplay.ts';
import { callerOf } from './identity.ts';
import type { Api, RestContext } from './parts.ts';

const lines = 'application/x-ndjson';

/** Every event of every archived workshop is read: one after the other. */
const oneAtATime = { atOnce: 1, waiting: 5 };

export function adminArchiveRoutes(app: Api, { readModels, history, turnsAt }: RestContext): void {
  const checks = turnsAt(oneAtATime);
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
      response: { 200: { description: 'Findings', content: { [lines]: { schema: replayTold } } } },
    },
    async handler(request, reply) {
      await checks.take(callerOf(request).userId, reply.raw);
      const reading = new AbortController();
      reply.raw.once('close', () => reading.abort(new Error('the reader went away')));
      if (reply.raw.closed) reading.abort(new Error('the reader went away'));
      const told = checkReplay({ archives: readModels.archives, history, signal: reading.signal });
      const stream = Readable.from(linesOf(told), { highWaterMark: 1 });
      // The schema of this type of answer is that of a line, not of the stream of them.
      return reply.type(`${lines}; charset=utf-8`).send(stream as never);
    },
  });
}

async function* linesOf(told: AsyncIterable<ReplayTold>): AsyncGenerator<string> {
  for await (const each of told) yield `${JSON.stringify(each)}\n`;
}

/** Taking a workshop away: attendance, chat and events as files, streamed. */
import { z } from 'zod';
import { exportFormats, exportKinds, exportName, exportText, refusalOf } from '../history/exports.ts';
import { refused } from './errors.ts';
import type { Api, RestContext } from './parts.ts';
import { workshopParams } from './schemas.ts';
import { ndjson, sendText, usualPatience } from './streams.ts';
import { wholeHistory } from './wholeHistory.ts';

const types = {
  csv: 'text/csv',
  ndjson,
  vtt: 'text/vtt',
} as const;

const flag = z
  .enum(['0', '1'])
  .default('0')
  .transform((value) => value === '1');

const query = z.object({
  what: z.enum(exportKinds),
  format: z.enum(exportFormats).default('csv').describe('`vtt`, for subtitles, of the chat alone'),
  raw: flag.describe(
    '1: texts in CSV as they are. Otherwise those that a spreadsheet would take for formulas get an apostrophe before them',
  ),
  intervals: flag.describe('1, with `attendance` alone: every stay instead of one row a person'),
});

export function exportRoutes(app: Api, context: RestContext): void {
  app.route({
    method: 'GET',
    url: '/api/workshops/:id/export',
    config: { who: 'user' },
    // The answer to HEAD would be the whole file, made and thrown away.
    exposeHeadRoute: false,
    schema: {
      tags: ['History'],
      summary: 'Attendance, chat or events of a workshop as a file. For host, co-hosts and analysts.',
      description:
        'Up to the version that the workshop has when it begins, without the text of deleted messages. A file that breaks ' +
        'off, which a reader sees by the connection, is not whole: take it again. Columns are told in `docs/analysis.md`.',
      operationId: 'export-workshop',
      params: workshopParams,
      querystring: query,
      response: {
        200: {
          description: 'The file',
          content: Object.fromEntries(
            Object.values(types).map((type) => [type, { schema: z.string() }] as const),
          ),
        },
      },
    },
    async handler(request, reply) {
      const { id } = request.params;
      const wish = request.query;
      const refusal = refusalOf(wish);
      if (refusal !== undefined) throw refused('invalid_payload', refusal);
      const { pages, present } = await wholeHistory(context, request, { reply, workshopId: id });
      reply.type(`${types[wish.format]}; charset=utf-8`);
      reply.header('content-disposition', `attachment; filename="${exportName(id, wish)}"`);
      const pieces = exportText(
        {
          workshopId: id,
          pages,
          now: context.log.now(),
          // Asked page by page, so that a right that is lost and a message that is deleted meanwhile count.
          context: async () => (await present()).room,
        },
        wish,
      );
      return sendText(reply, pieces, context.patience ?? usualPatience);
    },
  });
}

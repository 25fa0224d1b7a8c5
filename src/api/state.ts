/** The room as it was at any version, time or offset, or as it is now. */
import { z } from 'zod';
import { instantOf, momentOf } from '../history/moment.ts';
import { asSeenNow, roomAt } from '../history/stateAt.ts';
import { stateView } from '../protocol/wire.ts';
import { refused } from './errors.ts';
import { callerOf } from './identity.ts';
import type { Api, RestContext } from './parts.ts';
import { state, whole, workshopParams } from './schemas.ts';

const instant = z.string().transform((text, context) => {
  const at = instantOf(text);
  if (at !== undefined) return at;
  context.addIssue('must be a time in ISO 8601 with a zone, or milliseconds since 1970');
  return z.NEVER;
});

const query = z
  .object({
    version: whole(1, Number.MAX_SAFE_INTEGER).optional().describe('The room after this version'),
    at: instant
      .optional()
      .describe(
        'The room at this time, with all that happened in its millisecond: ISO 8601 with a zone (`2026-03-02T09:30:00Z`), or ' +
          'milliseconds since 1970. Not before the workshop was made; after its last event the last state.',
      ),
    offsetMs: whole(0, Number.MAX_SAFE_INTEGER)
      .optional()
      .describe('The room so many milliseconds after the workshop went live, as `at` at that time'),
  })
  .refine((given) => Object.values(given).filter((each) => each !== undefined).length <= 1, {
    path: ['query'],
    message: 'version, at and offsetMs exclude each other: give one of them, or none for the newest',
  });

/** Of one user. Mostly it takes some milliseconds; without snapshots a long workshop takes a second. */
const lookingBack = { atOnce: 4, waiting: 1_000 };

export function stateRoutes(app: Api, context: RestContext): void {
  const { rooms, history, snapshots, turnsAt } = context;
  const looks = turnsAt(lookingBack);
  app.route({
    method: 'GET',
    url: '/api/workshops/:id/state',
    config: { who: 'user' },
    exposeHeadRoute: false,
    schema: {
      tags: ['History'],
      summary: 'The room as it was, everyone present listed. For host, co-hosts and analysts.',
      description:
        'As `workshop:state`, at one version, time or offset, or the newest. A message that is deleted by now is deleted in every ' +
        'state. `epoch` is the present one. What lies outside of the workshop is `invalid_payload`, and says what there is.',
      operationId: 'get-state',
      params: workshopParams,
      querystring: query,
      response: { 200: state },
    },
    async handler(request, reply) {
      const user = callerOf(request);
      const { id } = request.params;
      const { room, epoch } = await rooms.ofHistory(id, user);
      const moment = momentOf(request.query, room);
      if (moment === undefined) return stateView(room, epoch, Number.POSITIVE_INFINITY);
      const gone = new AbortController();
      reply.raw.once('close', () => gone.abort(refused('conflict', 'nobody waits for the answer any more')));
      await looks.take(user.userId, reply.raw);
      const opened = await history.open(id);
      if (opened === undefined) throw refused('not_found');
      const past = await roomAt(opened, moment, { snapshots, signal: gone.signal });
      // Asked after the reading: what was deleted by now is deleted in the answer.
      const present = await rooms.ofHistory(id, user);
      return stateView(asSeenNow(past, present.room), present.epoch, Number.POSITIVE_INFINITY);
    },
  });
}

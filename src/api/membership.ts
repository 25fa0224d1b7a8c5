/** Who may come and who came: RSVPs, invitations, attendees. */
import { commandRoute } from './commands.ts';
import { callerOf } from './identity.ts';
import type { Api, RestContext } from './parts.ts';
import { attendee, page, workshopPageQuery, workshopParams } from './schemas.ts';

const tag = 'Membership';

export function membershipRoutes(app: Api, context: RestContext): void {
  const { readModels, rooms } = context;
  const rsvpUrl = '/api/workshops/:id/rsvp';
  const invitationsUrl = '/api/workshops/:id/invitations';
  commandRoute(app, context, { method: 'POST', url: rsvpUrl, command: 'rsvp', tag });
  commandRoute(app, context, { method: 'DELETE', url: rsvpUrl, command: 'withdraw-rsvp', tag });
  commandRoute(app, context, { method: 'POST', url: invitationsUrl, command: 'invite-users', tag });

  app.route({
    method: 'GET',
    url: '/api/workshops/:id/attendees',
    config: { who: 'user' },
    schema: {
      tags: [tag],
      summary:
        'Everyone the workshop knows, by user id. For members, analysts and admins. May lag: see `minVersion`.',
      operationId: 'list-attendees',
      params: workshopParams,
      querystring: workshopPageQuery,
      response: { 200: page(attendee) },
    },
    async handler(request) {
      const { id } = request.params;
      const { minVersion, ...asked } = request.query;
      await rooms.ofMembers(id, callerOf(request));
      if (minVersion !== undefined) await readModels.waitForVersion(id, minVersion);
      return readModels.attendees(id, asked);
    },
  });
}

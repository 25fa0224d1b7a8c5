/** Who may come: RSVPs and invitations. */
import { z } from 'zod';
import { append, defineCommand, defineEvent, refuse, unchanged } from '../define.ts';
import { isHost, memberOf } from '../room.ts';
import { displayName, httpsUrl, nobody, userId } from '../text.ts';

export const userRsvped = defineEvent({
  type: 'user-rsvped',
  schema: 1,
  data: z.object({ userId, displayName, avatarUrl: httpsUrl.nullable() }),
  marks: (data) => [`user:${data.userId}`],
  evolve(room, data) {
    Object.assign(memberOf(room, data.userId), {
      rsvped: true,
      displayName: data.displayName,
      avatarUrl: data.avatarUrl,
    });
  },
  erase: (data, userId) => (data.userId === userId ? { ...data, ...nobody } : data),
});

export const rsvpWithdrawn = defineEvent({
  type: 'rsvp-withdrawn',
  schema: 1,
  data: z.object({ userId }),
  marks: (data) => [`user:${data.userId}`],
  evolve(room, data) {
    memberOf(room, data.userId).rsvped = false;
  },
});

export const userInvited = defineEvent({
  type: 'user-invited',
  schema: 1,
  data: z.object({ userId }),
  marks: (data) => [`user:${data.userId}`],
  evolve(room, data) {
    memberOf(room, data.userId).invited = true;
  },
});

export const rsvp = defineCommand({
  name: 'rsvp',
  summary: 'Says that one will come: to a public workshop, or to a private one where invited.',
  via: 'rest',
  payload: z.object({}),
  who: 'stranger',
  decide({ room, actor, by }) {
    if (actor.kind === 'system') return unchanged;
    if (isHost(room, by) || room.members.get(by)?.rsvped) return unchanged;
    return append(userRsvped.of({ userId: by, displayName: actor.displayName, avatarUrl: actor.avatarUrl }));
  },
});

export const withdrawRsvp = defineCommand({
  name: 'withdraw-rsvp',
  summary: 'Takes an RSVP back. Not while present.',
  via: 'rest',
  payload: z.object({}),
  who: 'stranger',
  decide({ room, by }) {
    if (room.present.has(by)) return refuse('invalid_state');
    if (!room.members.get(by)?.rsvped) return unchanged;
    return append(rsvpWithdrawn.of({ userId: by }));
  },
});

export const inviteUsers = defineCommand({
  name: 'invite-users',
  summary:
    'Invites users by id, whether or not they have been here before. Who is invited or was removed is passed over.',
  via: 'rest',
  payload: z.object({ userIds: z.array(userId).min(1).max(500) }),
  who: 'moderator',
  reads: (payload) => payload.userIds.map((id) => `user:${id}` as const),
  decide({ room, payload }) {
    const invited = [...new Set(payload.userIds)].filter((id) => {
      const member = room.members.get(id);
      return !isHost(room, id) && !member?.invited && !member?.removed;
    });
    return invited.length === 0 ? unchanged : append(...invited.map((id) => userInvited.of({ userId: id })));
  },
});

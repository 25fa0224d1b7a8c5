/** Co-hosts: appointed by the host, and by the host alone. */
import { z } from 'zod';
import { append, defineCommand, defineEvent, unchanged } from '../define.ts';
import { memberOf, noteHostPresence } from '../room.ts';
import { userId } from '../text.ts';

const data = z.object({ userId, by: userId });
const payload = z.object({ targetUserId: userId });

export const coHostPromoted = defineEvent({
  type: 'cohost-promoted',
  schema: 1,
  data,
  marks: ({ userId }) => [`user:${userId}`, 'seats'],
  wakes: () => true,
  evolve(room, { userId }, { at }) {
    memberOf(room, userId).canSpeak = true;
    room.coHosts.add(userId);
    noteHostPresence(room, at);
  },
});

export const coHostDemoted = defineEvent({
  type: 'cohost-demoted',
  schema: 1,
  data,
  marks: ({ userId }) => [`user:${userId}`, 'seats'],
  wakes: () => true,
  evolve(room, { userId }, { at }) {
    room.coHosts.delete(userId);
    noteHostPresence(room, at);
  },
});

export const promoteCoHost = defineCommand({
  name: 'promote-cohost',
  summary: 'Makes a member a co-host, who may also speak.',
  via: 'socket',
  payload,
  who: 'host',
  target: { of: (payload) => payload.targetUserId, sparesHost: true },
  decide: ({ room, payload, by }) =>
    room.coHosts.has(payload.targetUserId)
      ? unchanged
      : append(coHostPromoted.of({ userId: payload.targetUserId, by })),
});

export const demoteCoHost = defineCommand({
  name: 'demote-cohost',
  summary: 'Takes the co-host role back; the right to speak stays.',
  via: 'socket',
  payload,
  who: 'host',
  target: { of: (payload) => payload.targetUserId, sparesHost: true },
  decide: ({ room, payload, by }) =>
    room.coHosts.has(payload.targetUserId)
      ? append(coHostDemoted.of({ userId: payload.targetUserId, by }))
      : unchanged,
});

/** Who may speak, and who is asked to be quiet. */
import { z } from 'zod';
import { append, defineCommand, defineEvent, unchanged } from '../define.ts';
import { memberOf } from '../room.ts';
import { userId } from '../text.ts';
import { handLowered } from './hands.ts';

const data = z.object({ userId, by: userId });
const payload = z.object({ targetUserId: userId });

export const speakerApproved = defineEvent({
  type: 'speaker-approved',
  schema: 1,
  data,
  marks: ({ userId }) => [`user:${userId}`],
  evolve(room, { userId }) {
    memberOf(room, userId).canSpeak = true;
  },
});

export const speakerRevoked = defineEvent({
  type: 'speaker-revoked',
  schema: 1,
  data,
  marks: ({ userId }) => [`user:${userId}`],
  evolve(room, { userId }) {
    memberOf(room, userId).canSpeak = false;
  },
});

export const userMuted = defineEvent({
  type: 'user-muted',
  schema: 1,
  data,
  marks: () => [],
  // Clients act on it; the room remembers nothing.
  evolve() {},
});

export const approveSpeaker = defineCommand({
  name: 'approve-speaker',
  summary: 'Lets a member speak, and takes their hand down if it was up.',
  via: 'socket',
  payload,
  who: 'moderator',
  target: { of: (payload) => payload.targetUserId, sparesHost: true },
  decide({ room, payload, by }) {
    const target = payload.targetUserId;
    if (room.members.get(target)?.canSpeak) return unchanged;
    const approved = speakerApproved.of({ userId: target, by });
    return room.hands.has(target)
      ? append(approved, handLowered.of({ userId: target, ...(target !== by && { by }) }))
      : append(approved);
  },
});

export const revokeSpeaker = defineCommand({
  name: 'revoke-speaker',
  summary: 'Takes the right to speak back.',
  via: 'socket',
  payload,
  who: 'moderator',
  target: { of: (payload) => payload.targetUserId, sparesHost: true, sparesCoHosts: true },
  decide: ({ room, payload, by }) =>
    room.members.get(payload.targetUserId)?.canSpeak
      ? append(speakerRevoked.of({ userId: payload.targetUserId, by }))
      : unchanged,
});

export const muteUser = defineCommand({
  name: 'mute-user',
  summary: 'Tells the clients to mute someone; the right to speak stays.',
  via: 'socket',
  payload,
  who: 'moderator',
  target: { of: (payload) => payload.targetUserId, sparesHost: true, sparesCoHosts: true },
  decide: ({ payload, by }) => append(userMuted.of({ userId: payload.targetUserId, by })),
});

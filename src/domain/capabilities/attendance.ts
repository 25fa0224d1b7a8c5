/** Coming and going: presence by user, removal and readmission. */
import { z } from 'zod';
import { append, type Decision, defineCommand, defineEvent, refuse, unchanged } from '../define.ts';
import {
  endPresence,
  isHost,
  isMember,
  isModerator,
  isRemoved,
  memberOf,
  noteHostPresence,
  type Room,
  seatsTaken,
} from '../room.ts';
import { displayName, httpsUrl, nobody, text, userId } from '../text.ts';

const reason = text(0, 500);

export const userJoined = defineEvent({
  type: 'user-joined',
  schema: 1,
  data: z.object({
    userId,
    displayName,
    avatarUrl: httpsUrl.nullable(),
    isHost: z.boolean(),
    isCoHost: z.boolean(),
    canSpeak: z.boolean(),
  }),
  marks: (data) => [`user:${data.userId}`, 'seats'],
  wakes: (data) => data.isHost || data.isCoHost,
  evolve(room, data, { version, at }) {
    const member = memberOf(room, data.userId);
    member.displayName = data.displayName;
    member.avatarUrl = data.avatarUrl;
    member.canSpeak = data.canSpeak;
    room.present.set(data.userId, version);
    noteHostPresence(room, at);
  },
  erase: (data, userId) => (data.userId === userId ? { ...data, ...nobody } : data),
});

export const userLeft = defineEvent({
  type: 'user-left',
  schema: 1,
  data: z.object({ userId, reason: z.enum(['left', 'disconnected']) }),
  marks: (data) => [`user:${data.userId}`, 'seats'],
  wakes: (data, room) => isModerator(room, data.userId),
  evolve: (room, data, { at }) => endPresence(room, data.userId, at),
});

export const userRemoved = defineEvent({
  type: 'user-removed',
  schema: 1,
  data: z.object({ userId, by: userId, reason: reason.optional() }),
  marks: (data) => [`user:${data.userId}`, 'seats'],
  wakes: (data, room) => isModerator(room, data.userId),
  evolve(room, data, { at }) {
    const member = memberOf(room, data.userId);
    member.removed = true;
    member.canSpeak = false;
    room.coHosts.delete(data.userId);
    endPresence(room, data.userId, at);
  },
  // What was said of someone is theirs too.
  erase(data, userId) {
    if (data.userId !== userId && data.by !== userId) return data;
    const { reason: _, ...rest } = data;
    return rest;
  },
});

export const userReadmitted = defineEvent({
  type: 'user-readmitted',
  schema: 1,
  data: z.object({ userId, by: userId }),
  marks: (data) => [`user:${data.userId}`],
  evolve(room, data) {
    const member = memberOf(room, data.userId);
    member.removed = false;
    // A co-host by promotion alone had neither RSVP nor invitation: readmitting must let them in.
    if (!member.rsvped) member.invited = true;
  },
});

function enter(room: Room, who: { userId: number; displayName: string; avatarUrl: string | null }): Decision {
  if (room.present.has(who.userId)) return unchanged;
  return append(
    userJoined.of({
      userId: who.userId,
      displayName: who.displayName,
      avatarUrl: who.avatarUrl,
      isHost: isHost(room, who.userId),
      isCoHost: room.coHosts.has(who.userId),
      canSpeak: isHost(room, who.userId) || (room.members.get(who.userId)?.canSpeak ?? false),
    }),
  );
}

/** The version up to which a client has everything, in the epoch in which it got it. */
export const resumePoint = z.object({ version: z.int().min(0), epoch: z.string().min(1).max(64) });

export const join = defineCommand({
  name: 'join',
  summary: 'Enters the room. The socket gets the state, or what it missed, and then every event.',
  via: 'socket',
  payload: z.object({
    after: resumePoint.optional(),
    batch: z.boolean().default(false),
    roster: z.boolean().default(true),
  }),
  who: 'member',
  repeatable: true,
  reads: (_, room) => (room.capacity === null ? [] : ['seats']),
  decide({ room, actor, by }) {
    if (actor.kind === 'system') return unchanged;
    const full = room.capacity !== null && seatsTaken(room) >= room.capacity;
    if (full && !room.present.has(by) && !isModerator(room, by)) return refuse('workshop_full');
    return enter(room, actor);
  },
});

export const leave = defineCommand({
  name: 'leave',
  summary: 'Leaves the room with this socket; the last socket of a user ends their presence.',
  via: 'socket',
  payload: z.object({}),
  who: 'member',
  repeatable: true,
  joined: () => true,
  endsPresenceOf: (_, by) => by,
  decide: ({ by }) => append(userLeft.of({ userId: by, reason: 'left' })),
});

export const dropUser = defineCommand({
  name: 'drop-user',
  summary: 'Records that someone whose connections are gone has left.',
  via: 'system',
  payload: z.object({ userId }),
  who: 'system',
  reads: ({ userId }) => [`user:${userId}`],
  endsPresenceOf: ({ userId }) => userId,
  decide: ({ room, payload }) =>
    room.present.has(payload.userId)
      ? append(userLeft.of({ userId: payload.userId, reason: 'disconnected' }))
      : unchanged,
});

export const rejoinUser = defineCommand({
  name: 'rejoin-user',
  summary:
    'Lets someone in again who is still connected although the log says they left. Ignores the capacity.',
  via: 'system',
  payload: z.object({ userId, displayName, avatarUrl: httpsUrl.nullable() }),
  who: 'system',
  reads: ({ userId }) => [`user:${userId}`],
  // Only the capacity is ignored: who was removed or withdrew meanwhile stays out.
  decide: ({ room, payload }) => (isMember(room, payload.userId) ? enter(room, payload) : unchanged),
});

export const removeUser = defineCommand({
  name: 'remove-user',
  summary: 'Takes someone out of the workshop, on every device, until readmitted.',
  via: 'socket',
  payload: z.object({ targetUserId: userId, reason: reason.optional() }),
  who: 'moderator',
  target: { of: (payload) => payload.targetUserId, sparesHost: true, sparesCoHosts: true, removedToo: true },
  decide({ room, payload, by }) {
    if (isRemoved(room, payload.targetUserId)) return unchanged;
    return append(
      userRemoved.of({
        userId: payload.targetUserId,
        by,
        ...(payload.reason !== undefined && { reason: payload.reason }),
      }),
    );
  },
});

export const readmitUser = defineCommand({
  name: 'readmit-user',
  summary: 'Lets someone who was removed join again.',
  via: 'socket',
  payload: z.object({ targetUserId: userId }),
  who: 'moderator',
  target: { of: (payload) => payload.targetUserId, removedToo: true },
  decide({ room, payload, by }) {
    if (!isRemoved(room, payload.targetUserId)) return unchanged;
    return append(userReadmitted.of({ userId: payload.targetUserId, by }));
  },
});

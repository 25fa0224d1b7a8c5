/** The queue of raised hands. */
import { z } from 'zod';
import { append, defineCommand, defineEvent, unchanged } from '../define.ts';
import { isModerator } from '../room.ts';
import { userId } from '../text.ts';

export const handRaised = defineEvent({
  type: 'hand-raised',
  schema: 1,
  data: z.object({ userId }),
  marks: (data) => [`user:${data.userId}`],
  evolve: (room, data, { at }) => void room.hands.set(data.userId, at),
});

export const handLowered = defineEvent({
  type: 'hand-lowered',
  schema: 1,
  /** `by` where someone else did it. */
  data: z.object({ userId, by: userId.optional() }),
  marks: (data) => [`user:${data.userId}`],
  evolve: (room, data) => void room.hands.delete(data.userId),
});

export const raiseHand = defineCommand({
  name: 'raise-hand',
  summary: 'Asks to speak: puts oneself at the end of the queue.',
  via: 'socket',
  payload: z.object({}),
  who: 'member',
  joined: () => true,
  decide: ({ room, by }) => (room.hands.has(by) ? unchanged : append(handRaised.of({ userId: by }))),
});

export const lowerHand = defineCommand({
  name: 'lower-hand',
  summary: "Takes one's own hand down, or as host or co-host another's.",
  via: 'socket',
  payload: z.object({ targetUserId: userId.optional() }),
  who: 'member',
  target: { of: (payload) => payload.targetUserId },
  may: ({ room, payload, by }) =>
    payload.targetUserId === undefined || payload.targetUserId === by || isModerator(room, by),
  joined: ({ payload, by }) => payload.targetUserId === undefined || payload.targetUserId === by,
  decide({ room, payload, by }) {
    const target = payload.targetUserId ?? by;
    if (!room.hands.has(target)) return unchanged;
    return append(handLowered.of({ userId: target, ...(target !== by && { by }) }));
  },
});

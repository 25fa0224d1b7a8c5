/** The room's chat. A message's id is the version of its event. */
import { z } from 'zod';
import { append, defineCommand, defineEvent, type Question, refuse, unchanged } from '../define.ts';
import { chatKept, isModerator } from '../room.ts';
import { displayName, httpsUrl, nobody, positiveId, text, userId } from '../text.ts';

const message = text(1, 1_000);

export const chatMessage = defineEvent({
  type: 'chat-message',
  schema: 1,
  /** A deleted message is kept with `message: null, deleted: true`, and must still fold. */
  data: z.object({
    userId,
    displayName,
    avatarUrl: httpsUrl.nullable(),
    message: message.nullable(),
    deleted: z.literal(true).optional(),
  }),
  // No decision depends on a message having been written: chat never conflicts with chat.
  marks: () => [],
  evolve(room, { userId, displayName, avatarUrl, message }, { version, at }) {
    room.authors.set(version, userId);
    room.chat.push({ id: version, userId, displayName, avatarUrl, message, at });
    if (room.chat.length > chatKept) room.chat.shift();
  },
  derive: (_, { version, at }, startedAt) => ({
    id: version,
    offset_ms: startedAt === null ? 0 : Math.max(0, at - startedAt),
    createdAt: new Date(at).toISOString(),
  }),
  derived: z.object({ id: positiveId, offset_ms: z.int().nonnegative(), createdAt: z.iso.datetime() }),
  redact: (data) => ({ ...data, message: null, deleted: true }),
  erase: (data, userId) =>
    data.userId === userId ? { ...data, ...nobody, message: null, deleted: true as const } : data,
});

export const chatDeleted = defineEvent({
  type: 'chat-deleted',
  schema: 1,
  data: z.object({ id: positiveId, by: userId }),
  marks: (data) => [`message:${data.id}`],
  evolve(room, data) {
    room.deleted.add(data.id);
    const line = room.chat.find((line) => line.id === data.id);
    if (line !== undefined) line.message = null;
  },
});

export const chat = defineCommand({
  name: 'chat',
  summary: 'Says something to the room.',
  via: 'socket',
  payload: z.object({ message }),
  who: 'member',
  joined: () => true,
  decide({ actor, by, payload }) {
    if (actor.kind === 'system') return unchanged;
    return append(
      chatMessage.of({
        userId: by,
        displayName: actor.displayName,
        avatarUrl: actor.avatarUrl,
        message: payload.message,
      }),
    );
  },
});

const messageId = z.object({ messageId: positiveId });
type Deletion = Question<z.infer<typeof messageId>>;

function isAdmin({ actor }: Deletion): boolean {
  return actor.kind === 'user' && actor.roles.includes('admin');
}

/** Its author, host and co-hosts. A message that does not exist is no question of rights. */
function mayDelete({ room, payload, by }: Deletion): boolean {
  const author = room.authors.get(payload.messageId);
  return author === undefined || author === by || isModerator(room, by);
}

function remove({ room, payload, by }: Deletion) {
  if (!room.authors.has(payload.messageId)) return refuse('target_not_found');
  if (room.deleted.has(payload.messageId)) return unchanged;
  return append(chatDeleted.of({ id: payload.messageId, by }));
}

export const deleteChat = defineCommand({
  name: 'delete-chat',
  summary: 'Takes a message out of the chat; its place stays.',
  via: 'socket',
  payload: messageId,
  who: 'member',
  may: mayDelete,
  reads: ({ messageId }) => [`message:${messageId}`],
  decide: remove,
});

export const withdrawMessage = defineCommand({
  name: 'withdraw-message',
  summary: 'Takes a message out of the chat in every status, also of a workshop that is over.',
  via: 'rest',
  payload: messageId,
  who: 'member',
  admins: true,
  may: (question) => isAdmin(question) || mayDelete(question),
  reads: ({ messageId }) => [`message:${messageId}`],
  decide: remove,
});

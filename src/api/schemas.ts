/** Shapes that several routes share. What has an id is a component of the OpenAPI document, by that name. */
import { z } from 'zod';
import type { Room } from '../domain/room.ts';
import { statuses } from '../domain/room.ts';
import type { NodeStatus } from '../observe/nodes.ts';

const id = z
  .string()
  .regex(/^[1-9]\d{0,15}$/, 'must be a positive integer')
  .transform(Number)
  .refine(Number.isSafeInteger, 'must be at most 2^53 - 1');

export const workshopParams = z.object({ id: id.describe('The workshop') });
export const messageParams = workshopParams.extend({ messageId: id.describe("The message's id") });

export { id as idInAddress };

/** A whole number in a query. */
export function whole(min: number, max: number) {
  const message = `must be a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,16}$/, message)
    .transform(Number)
    .refine((value) => value >= min && value <= max, message)
    .meta({ type: 'integer', minimum: min, maximum: max });
}

export const pageQuery = z.object({
  cursor: z.string().max(200).optional().describe('`nextCursor` of the page before'),
  limit: whole(1, 500).default(100),
});

export const workshopPageQuery = pageQuery.extend({
  minVersion: whole(0, Number.MAX_SAFE_INTEGER)
    .optional()
    .describe('Waits up to 2 s for the tables to hold this version of the workshop, else `unavailable`'),
});

export const page = <T extends z.ZodType>(item: T) =>
  z.object({ items: z.array(item), nextCursor: z.string().nullable().describe('null at the end') });

const time = z.string().describe('ISO 8601 in UTC');
const userId = z.number().int();

export const listedWorkshop = z
  .object({
    id: z.number().int(),
    hostId: userId,
    title: z.string(),
    description: z.string().nullable(),
    visibility: z.enum(['public', 'private']),
    status: z.enum(statuses),
    capacity: z.number().int().nullable(),
    scheduledAt: time,
    durationMinutes: z.number().int().nullable(),
    startedAt: time.nullable(),
    endedAt: time.nullable(),
    createdAt: time,
    version: z.number().int(),
  })
  .meta({ id: 'ListedWorkshop' });

export const workshop = listedWorkshop
  .extend({
    coHostIds: z.array(userId),
    attendeeCount: z.number().int().describe('How many are present'),
  })
  .meta({ id: 'Workshop' });

export const commandAnswer = z
  .object({
    version: z.number().int().describe('Of the last event appended, or the present one'),
    changed: z.boolean().describe('false where what was asked for already held'),
  })
  .meta({ id: 'CommandAnswer' });

export const attendee = z
  .object({
    userId,
    displayName: z.string().nullable().describe('null for who was invited and never came'),
    avatarUrl: z.string().nullable(),
    status: z.enum(['rsvp', 'withdrawn', 'invited', 'joined', 'left', 'removed']),
    isHost: z.boolean(),
    isCoHost: z.boolean(),
    canSpeak: z.boolean(),
    handRaisedAt: time.nullable(),
    joinedAt: time.nullable(),
    leftAt: time.nullable(),
    presentMs: z.number().int().describe('Time in the room, a stay under way included'),
  })
  .meta({ id: 'Attendee' });

export const chatLine = z
  .object({
    id: z.number().int(),
    userId,
    displayName: z.string(),
    avatarUrl: z.string().nullable(),
    message: z.string().nullable().describe('null once deleted'),
    offset_ms: z.number().int().describe('Milliseconds since the workshop went live, 0 before'),
    createdAt: time,
    deleted: z.literal(true).exactOptional(),
  })
  .meta({ id: 'ChatMessage' });

/** In lists, whose names are all in camelCase; the wire's own name stays, so that a line is the same thing everywhere. */
export const listedChatLine = chatLine
  .extend({ offsetMs: chatLine.shape.offset_ms })
  .meta({ id: 'ListedChatMessage' });

export const state = z
  .object({
    workshopId: z.number().int(),
    version: z.number().int(),
    epoch: z.string().describe('Of the log at present; empty where the log has let go of the workshop'),
    status: z.enum(statuses),
    title: z.string(),
    hostId: userId,
    coHostIds: z.array(userId),
    startedAt: time.nullable(),
    endedAt: time.nullable(),
    scheduledAt: time,
    attendees: z
      .array(
        z.object({
          userId,
          displayName: z.string(),
          avatarUrl: z.string().nullable(),
          isHost: z.boolean(),
          isCoHost: z.boolean(),
          canSpeak: z.boolean(),
        }),
      )
      .describe('Everyone who is present, in the order of joining'),
    attendeeCount: z.number().int(),
    raisedHands: z.array(userId).describe('In the order of raising'),
    chat: z.array(chatLine).describe('The last 50 messages'),
  })
  .meta({ id: 'State' });

export const historyItem = z
  .object({
    version: z.number().int(),
    eventId: z.string(),
    type: z.string(),
    schema: z.number().int(),
    at: time,
    by: z.union([userId, z.literal('system')]),
    commandId: z.string(),
    data: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'HistoryEvent' });

export const nodeStatus = z
  .object({
    node: z.string(),
    role: z.enum(['all', 'gateway', 'projector']),
    rooms: z.number().int().describe('With sockets on the node, or left a moment ago'),
    sockets: z.number().int(),
    upSeconds: z.number().int(),
    draining: z.boolean().describe('It is about to end, and its clients move to other nodes'),
    version: z.string().optional().describe('Of the program'),
    slowClients: z
      .number()
      .int()
      .optional()
      .describe('Sockets closed since its start because they did not read'),
    archived: z.number().int().optional().describe('Workshops that it archived since its start'),
  })
  .meta({ id: 'Node' }) satisfies z.ZodType<NodeStatus>;

const iso = (at: number | null) => (at === null ? null : new Date(at).toISOString());

/** The workshop as `GET /api/workshops/:id` gives it. */
export function workshopView(room: Room): z.infer<typeof workshop> {
  const { id, hostId, title, description, visibility, status, capacity, durationMinutes, version } = room;
  return {
    ...{ id, hostId, title, description, visibility, status, capacity, durationMinutes, version },
    coHostIds: [...room.coHosts],
    scheduledAt: new Date(room.scheduledAt).toISOString(),
    startedAt: iso(room.startedAt),
    endedAt: iso(room.endedAt),
    createdAt: new Date(room.createdAt).toISOString(),
    attendeeCount: room.present.size,
  };
}

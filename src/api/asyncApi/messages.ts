/**
 * What travels over the namespace `/workshop`, as schemas: commands and events from their own definitions, and what the server
 * says beside them.
 */
import { z } from 'zod';
import { commandNames, commandOf, eventOf, eventTypes } from '../../domain/catalog.ts';
import { positiveId } from '../../domain/text.ts';
import { errorCodes, type WireError } from '../../protocol/errors.ts';
import {
  type AttendeesPage,
  commandHeader,
  type DrainNotice,
  type EventBatch,
  type Reply,
  type StateView,
  wireName,
} from '../../protocol/wire.ts';
import { state as stateOfRest } from '../schemas.ts';

export interface Message {
  /** As Socket.IO has it: `workshop:raise-hand`. */
  name: string;
  summary: string;
  payload: z.ZodObject;
}

/** A command, or a request that is none, and what it is answered with. */
export interface Asked extends Message {
  answer: keyof typeof answers;
}

const version = z.int().nonnegative();
const at = z.iso.datetime().describe('When it was recorded');

const error = z.object({
  code: z.enum(errorCodes as [string, ...string[]]).describe('For programs'),
  message: z.string().describe('For people'),
  retryable: z.boolean().describe('The same, sent again under the same id, may succeed'),
  retryAfterMs: z.number().nonnegative().optional(),
}) as unknown as z.ZodObject & z.ZodType<WireError>;

export const attendee = stateOfRest.shape.attendees.element;
export const chatMessage = stateOfRest.shape.chat.element;

export const state = stateOfRest.extend({
  attendees: z
    .array(attendee)
    .describe('Who is present, in the order of joining: 500 at least, and host, co-hosts and raised hands'),
  epoch: z.string().describe('To resume with: join { after: { version, epoch } }'),
}) satisfies z.ZodType<StateView>;

const refusal = z.object({ ok: z.literal(false), error });

/** Acknowledgements, by what was asked. Each may be the refusal instead. */
export const answers = {
  done: z.object({
    ok: z.literal(true),
    version: version.describe('Of the last event it appended, or the present one'),
    changed: z.boolean().describe('false where what was asked for already held, and nothing was appended'),
  }),
  joined: z.object({
    ...{ ok: z.literal(true), version, changed: z.boolean(), epoch: z.string() },
    resumed: z.boolean().describe('Exactly what was missed follows, and no state'),
    userId: positiveId,
  }),
  attendees: z.object({
    ...{ ok: z.literal(true), version, items: z.array(attendee), nextCursor: z.string().nullable() },
  }) satisfies z.ZodType<AttendeesPage>,
  authenticated: z.object({
    ok: z.literal(true),
    expiresAt: z.iso.datetime().nullable().describe('null where an application signs in for good'),
  }),
  refused: refusal satisfies z.ZodType<Reply>,
};

export const commands: readonly Asked[] = [
  ...commandNames.flatMap((name) => {
    const { via, summary, payload } = commandOf(name);
    if (via !== 'socket') return [];
    const answer = name === 'join' ? ('joined' as const) : ('done' as const);
    return [{ name: wireName(name), summary, payload: withFields(commandHeader, payload), answer }];
  }),
  {
    name: wireName('attendees'),
    summary: 'Who is in the room, in the order of joining, 500 to a page.',
    payload: z.object({ workshopId: positiveId, cursor: z.string().optional() }),
    answer: 'attendees',
  },
  {
    name: wireName('authenticate'),
    summary: 'A new token of the same user: the socket lives on.',
    payload: z.object({ token: z.string() }),
    answer: 'authenticated',
  },
];

const place = z.object({ workshopId: positiveId, version: positiveId, at });

export const events: readonly Message[] = eventTypes.map((type) => {
  const { data, derived = z.object({}) } = eventOf(type);
  return {
    name: wireName(type),
    summary: 'An event of the workshop, as the log has confirmed it.',
    payload: withFields(place, withFields(data, derived)),
  };
});

export const notices: readonly Message[] = [
  {
    name: wireName('state'),
    summary: 'The room as it is; what follows goes on from its version.',
    payload: state,
  },
  {
    name: wireName('events'),
    summary: 'Several events, for who joined with `batch: true`.',
    payload: z.object({
      workshopId: positiveId,
      from: positiveId.describe('The first version that this message speaks for'),
      to: positiveId.describe('The last one'),
      events: z.array(z.looseObject({ version: positiveId, type: z.string(), at })),
      attendeeCount: version.exactOptional().describe('Where one joined with `roster: false`'),
      epoch: z.string().exactOptional().describe('Another one has begun, and nothing was lost'),
    }) satisfies z.ZodType<EventBatch>,
  },
  {
    name: wireName('error'),
    summary: 'A refusal of what was sent without an acknowledgement, or why the connection ends.',
    payload: error.extend({ command: z.string().optional().describe('Its bare name: raise-hand') }),
  },
  {
    name: wireName('draining'),
    summary: 'This node is about to end: reconnect at a random moment within that time.',
    payload: z.object({ withinMs: z.number().positive() }) satisfies z.ZodType<DrainNotice>,
  },
  {
    name: wireName('token-expiring'),
    summary: 'The token ends then, and the connection with it, unless another one comes.',
    payload: z.object({ at: z.iso.datetime() }),
  },
];

/** All of these are objects; their definitions promise no more than some schema. */
function withFields(first: z.ZodObject, second: z.ZodType): z.ZodObject;
function withFields(first: z.ZodType, second: z.ZodType): z.ZodObject;
function withFields(first: z.ZodType, second: z.ZodType): z.ZodObject {
  if (!(first instanceof z.ZodObject && second instanceof z.ZodObject))
    throw new TypeError('what travels is an object');
  return z.object({ ...first.shape, ...second.shape });
}

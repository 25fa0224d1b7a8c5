/** Random valid histories: commands as people would try them, decided and folded by the real domain. */
import fc from 'fast-check';
import { type CommandName, commandOf, eventOf, isEventType } from '../../src/domain/catalog.ts';
import { decide } from '../../src/domain/decide.ts';
import type { Actor, User } from '../../src/domain/define.ts';
import { evolve, type RecordedEvent } from '../../src/domain/evolve.ts';
import { emptyRoom, type Room } from '../../src/domain/room.ts';

/** One attempt: who tries what on whom, and how many milliseconds after the one before. */
export interface Attempt {
  name: CommandName;
  by: number;
  target: number;
  afterMs: number;
  text: string;
}

const people = 7;
const tried: CommandName[] = [
  'join',
  'join',
  'rsvp',
  'leave',
  'drop-user',
  'raise-hand',
  'raise-hand',
  'lower-hand',
  'approve-speaker',
  'revoke-speaker',
  'promote-cohost',
  'demote-cohost',
  'mute-user',
  'remove-user',
  'readmit-user',
  'invite-users',
  'withdraw-rsvp',
  'chat',
  'chat',
  'delete-chat',
  'update-workshop',
];
const rare: CommandName[] = ['open-lobby', 'start', 'end', 'cancel'];

export const attempts = fc.array(
  fc.record({
    name: fc.oneof(
      { arbitrary: fc.constantFrom(...tried), weight: 30 },
      { arbitrary: fc.constantFrom(...rare), weight: 1 },
    ),
    by: fc.oneof(
      { arbitrary: fc.constant(1), weight: 1 },
      { arbitrary: fc.integer({ min: 1, max: people }), weight: 2 },
    ),
    target: fc.integer({ min: 1, max: people }),
    afterMs: fc.integer({ min: 0, max: 5_000 }),
    text: fc.string({ minLength: 1, maxLength: 8 }).map((text) => `x${text.replaceAll(/[^\w ]/g, '')}`),
  }),
  { minLength: 20, maxLength: 160 },
);

/** A room that attempts can be made on; remembers every event with the room it led to. */
export function history(workshopId = 1, startedAt = Date.UTC(2026, 0, 1)) {
  const room = emptyRoom(workshopId);
  const events: RecordedEvent[] = [];
  let at = startedAt;

  /** Does what the command leads to; false where it was refused or changed nothing. */
  function attempt(name: CommandName, actor: Actor, payload: unknown, afterMs = 0): boolean {
    at += afterMs;
    const parsed = commandOf(name).payload.safeParse(payload);
    if (!parsed.success) return false;
    const decision = decide(room, { name, payload: parsed.data, actor });
    if (decision.kind !== 'append') return false;
    for (const { type, data } of decision.events) {
      if (!isEventType(type)) throw new Error(`${type} is no event`);
      const event: RecordedEvent = {
        version: room.version + 1,
        at,
        eventId: `event-${room.version + 1}`,
        type,
        schema: eventOf(type).schema,
        by: actor.kind === 'user' ? actor.userId : 'system',
        commandId: `command-${room.version + 1}`,
        data,
      };
      evolve(room, event);
      events.push(event);
    }
    return true;
  }

  return { room: room as Room, events, attempt };
}

/**
 * A workshop hosted by user 1 in which the attempts were made; `onChange` is called after each that changed it. The first
 * `crowd` of its five members are present from the start.
 */
export function livedThrough(
  tries: readonly Attempt[],
  onChange: (room: Room, events: RecordedEvent[]) => void,
  { crowd = 0 } = {},
) {
  const past = history();
  const scheduledAt = '2026-01-01T12:00:00Z';
  past.attempt('schedule-workshop', person(1), { title: 'Weaving', scheduledAt });
  for (let userId = 2; userId <= 5; userId++) past.attempt('rsvp', person(userId), {});
  onChange(past.room, past.events);
  // Half of a room's commands ask for a lobby: most histories get one early.
  past.attempt('open-lobby', person(1), {});
  for (let userId = 1; userId <= crowd; userId++) past.attempt('join', person(userId), {});
  onChange(past.room, past.events);
  for (const { name, by, target, afterMs, text } of tries) {
    const changed =
      name === 'drop-user'
        ? past.attempt(name, { kind: 'system' }, { userId: target }, afterMs)
        : past.attempt(name, person(by, text), payloadOf(name, target, text, past.room), afterMs);
    if (changed) onChange(past.room, past.events);
  }
  return past;
}

/** Names vary with what is said, as people rename themselves between joins. */
export function person(userId: number, suffix = ''): User {
  return {
    kind: 'user',
    userId,
    displayName: `Person ${userId}${suffix}`.trim(),
    avatarUrl: null,
    roles: [],
  };
}

function payloadOf(name: CommandName, target: number, text: string, room: Room): unknown {
  switch (name) {
    case 'chat':
      return { message: text };
    case 'delete-chat':
      return { messageId: room.chat.at(-target)?.id ?? 1 };
    case 'invite-users':
      return { userIds: [target] };
    case 'update-workshop':
      return { title: text };
    case 'lower-hand':
      return target === 1 ? {} : { targetUserId: target };
    default:
      return { targetUserId: target };
  }
}

/**
 * The forms in which a capability declares its events and commands. Everything else about them – types, validation, wire
 * names, OpenAPI, the reference – is derived from these declarations.
 */
import type { z } from 'zod';
import type { Room, Status } from './room.ts';

/** Who wishes something: a signed-in user, or the engine itself (timers, presence). */
export type Actor = User | { kind: 'system' };

export interface User {
  kind: 'user';
  userId: number;
  displayName: string;
  avatarUrl: string | null;
  roles: readonly ('analyst' | 'admin')[];
}

/**
 * What an event changes, and what a decision depends on: a decision stands as long as no event after the version it was
 * made on bears a mark that it reads. `room` is the workshop itself, `user:7` what concerns one person, `seats` how many
 * are present, `message:12` one chat message.
 */
export type Mark = 'room' | 'seats' | `user:${number}` | `message:${number}`;

/** Where and when an event stands. Times are milliseconds since 1970. */
export interface Place {
  version: number;
  at: number;
}

/** How data of an earlier schema reads today. It is kept for good, since what was recorded under that schema is. */
export interface PastSchema {
  /** The same as data of the next schema. Pure; also of data that `redact` or `erase` took something out of. */
  upcast(data: never): unknown;
  /** What `redact` of the event is, for data as it is stored under this schema; likewise `erase`. */
  redact?(data: never): Record<string, unknown>;
  erase?(data: never, userId: number): unknown;
}

export interface EventDefinition<T extends string = string, D = unknown> {
  type: T;
  /** Number of the data's shape. A changed shape gets a new number and an upcast; golden files keep the old ones. */
  schema: number;
  /** One for each earlier schema: the first makes schema 2 out of schema 1. Everything below sees the newest data alone. */
  upcasts?: readonly PastSchema[];
  data: z.ZodType<D>;
  marks(data: D): Mark[];
  /** Whether the event may move the next timer of the workshop (see `timers.ts`). */
  wakes?(data: D, room: Room): boolean;
  /** Changes the room in place; `version` and `at` are set by the caller. */
  evolve(room: Room, data: D, place: Place): void;
  /** Fields that readers get beside `data` and that follow from the event's place, as `derived` has them. */
  derive?(data: D, place: Place, startedAt: number | null): Record<string, unknown>;
  derived?: z.ZodObject;
  /** The data with what a deletion takes away. */
  redact?(data: D): Record<string, unknown>;
  /** The data without what is this person's own: name, picture, words. Ids stay, so that counts and order do. */
  erase?(data: D, userId: number): D;
  /** Fields of text that are the workshop's and nobody's own. Every other one is what `erase` takes away. */
  impersonal?: readonly (keyof D & string)[];
}

/** An event that was decided and not yet recorded. */
export interface NewEvent<T extends string = string, D = unknown> {
  type: T;
  data: D;
}

/** An event as it was recorded. Its data is read by way of `current` (`upcast.ts`). Times are milliseconds since 1970. */
export interface RecordedEvent extends Place {
  eventId: string;
  type: string;
  schema: number;
  by: number | 'system';
  commandId: string;
  data: unknown;
}

/** Why a command is not done. Values, never thrown. What a client is told of them stands in `protocol/errors.ts`. */
export const refusalCodes = [
  'not_found',
  'removed',
  'not_a_member',
  'forbidden',
  'invalid_state',
  'not_joined',
  'target_not_found',
  'workshop_full',
] as const;

export type RefusalCode = (typeof refusalCodes)[number];

export type Decision =
  | { kind: 'append'; events: NewEvent[] }
  | { kind: 'unchanged' }
  | { kind: 'refused'; code: RefusalCode };

/** What a command asks of the person it is aimed at. */
export interface Target<P> {
  of(payload: P): number | undefined;
  /** `forbidden` when it is the host. */
  sparesHost?: boolean;
  /** `forbidden` to co-hosts when it is a co-host. */
  sparesCoHosts?: boolean;
  /** Also someone who was removed counts as found. */
  removedToo?: boolean;
}

export interface Question<P> {
  room: Room;
  payload: P;
  actor: Actor;
  /** The actor's user id; 0 for the system. */
  by: number;
}

export interface CommandDefinition<N extends string = string, P = unknown, I = unknown> {
  name: N;
  /** One sentence for the reference. */
  summary: string;
  /** Which door it comes in by. */
  via: 'socket' | 'rest' | 'system';
  /** The payload beside `workshopId` and `commandId`. */
  payload: z.ZodType<P, I>;
  /** May you? `member` is anyone admitted, `stranger` anyone where it is public, `system` the engine alone. */
  who: 'host' | 'moderator' | 'member' | 'stranger' | 'system';
  /** An admin may too, member or not. */
  admins?: boolean;
  /** Makes no sense from outside the room. */
  joined?(question: Question<P>): boolean;
  target?: Target<P>;
  /** Right that depends on more than the role, such as being the author. */
  may?(question: Question<P>): boolean;
  /** A step of the workshop's life: asking for the status that holds is no error. */
  leadsTo?: Status;
  /** Beside `room` and the marks of actor and target. */
  reads?(payload: P, room: Room): Mark[];
  /** The user whose presence the command ends, unless another connection still holds it. */
  endsPresenceOf?(payload: P, by: number): number;
  /** `join` and `leave` repeat by themselves: their command id suppresses nothing. */
  repeatable?: boolean;
  /** Does it fit the room? Everything declared above holds when it is asked. */
  decide(question: Question<P>): Decision;
}

export function defineEvent<const T extends string, D>(definition: EventDefinition<T, D>) {
  const { type, schema, upcasts = [] } = definition;
  if (upcasts.length !== schema - 1)
    throw new Error(`${type}: schema ${schema} needs ${schema - 1} upcasts, and has ${upcasts.length}`);
  return {
    ...definition,
    /** A new event of this type. */
    of: (data: D): NewEvent<T, D> => ({ type: definition.type, data }),
  };
}

export function defineCommand<const N extends string, P, I>(definition: CommandDefinition<N, P, I>) {
  return definition;
}

export const unchanged: Decision = { kind: 'unchanged' };

export function append(...events: NewEvent[]): Decision {
  return { kind: 'append', events };
}

export function refuse(code: RefusalCode): Decision {
  return { kind: 'refused', code };
}

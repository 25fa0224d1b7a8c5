/**
 * What travels over the namespace `/workshop`: names, replies, the state of a room, events. Types and shapes for server and
 * clients alike; nothing here knows a socket.
 */
import { z } from 'zod';
import { type EventData, type EventType, eventOf, isEventType } from '../domain/catalog.ts';
import type { RecordedEvent } from '../domain/evolve.ts';
import { type ChatLine, isHost, type Room, type Status } from '../domain/room.ts';
import { positiveId } from '../domain/text.ts';
import { current } from '../domain/upcast.ts';
import type { WireError } from './errors.ts';

export const namespace = '/workshop';
/** Versions of this protocol that are served, as `auth.protocol` of the handshake. */
export const servedProtocols: readonly number[] = [1];
/** What one message may hold, in bytes; a socket that sends more is closed. */
export const maxMessageBytes = 65_536;

const prefix = 'workshop:';
export const wireName = <const N extends string>(name: N): `workshop:${N}` => `${prefix}${name}`;
export function bareName(name: string): string | undefined {
  return name.startsWith(prefix) ? name.slice(prefix.length) : undefined;
}

/** A UUID of any version and variant. Case does not tell two of them apart. */
export const commandId = z.guid().toLowerCase();

/** What every command carries beside its own payload. Unknown fields are ignored. */
export const commandHeader = z.object({ workshopId: positiveId, commandId: commandId.optional() });

/** The answer to a command. `version` is that of the last event it appended, or the workshop's present one. */
export type Reply =
  | ({ ok: true; version: number; changed: boolean } & Partial<JoinReply>)
  | { ok: false; error: WireError };

/** What a join answers besides. */
export interface JoinReply {
  epoch: string;
  resumed: boolean;
  /** Who the server takes the socket for: a client that is signed in by cookie can't read it there. */
  userId: number;
}

export interface Attendee {
  userId: number;
  displayName: string;
  avatarUrl: string | null;
  isHost: boolean;
  isCoHost: boolean;
  canSpeak: boolean;
}

export interface ChatView {
  id: number;
  userId: number;
  displayName: string;
  avatarUrl: string | null;
  /** null once deleted. */
  message: string | null;
  /** Milliseconds since the workshop went live, 0 before. */
  offset_ms: number;
  createdAt: string;
  deleted?: true;
}

/** `workshop:state`. Times are ISO 8601 in UTC. */
export interface StateView {
  workshopId: number;
  version: number;
  epoch: string;
  status: Status;
  title: string;
  hostId: number;
  coHostIds: number[];
  startedAt: string | null;
  endedAt: string | null;
  scheduledAt: string;
  /** Who is present in the order of joining: the first `stateAttendees`, and host, co-hosts and raised hands beyond. */
  attendees: Attendee[];
  attendeeCount: number;
  raisedHands: number[];
  chat: ChatView[];
}

/**
 * `workshop:draining`: the node is about to end. Who reconnects at a random moment within `withinMs` is not missed by anyone;
 * who does not is cut by then.
 */
export interface DrainNotice {
  withinMs: number;
}

/** How many attendees a state lists at least; more come page by page from `workshop:attendees`. */
export const stateAttendees = 500;
export const attendeesPerPage = 500;

/** The fields that each event of the wire carries beside its data. */
export interface WirePlace {
  workshopId: number;
  version: number;
  at: string;
}

/** An event inside `workshop:events`. */
export type WireEvent<T extends EventType = EventType> = {
  [K in T]: { version: number; type: K; at: string } & EventData[K];
}[T];

/** `workshop:events`: what batch clients get. With `roster: false` it carries `attendeeCount`. */
export interface EventBatch {
  workshopId: number;
  from: number;
  to: number;
  events: LooseEvent[];
  attendeeCount?: number;
  /** Where another one began, without the loss of anything: the epoch to resume in from here on. */
  epoch?: string;
}

/** An event as it is sent: data whose shape its `type` tells. */
export interface LooseEvent {
  version: number;
  type: string;
  at: string;
  [field: string]: unknown;
}

export interface AttendeesPage {
  ok: true;
  version: number;
  items: Attendee[];
  nextCursor: string | null;
}

const iso = (at: number | null) => (at === null ? null : new Date(at).toISOString());

/** What of the whole workshop has to be known to tell one event of it: when it went live, and what is deleted by now. */
export type WireContext = Pick<Room, 'startedAt' | 'deleted'>;

/** The event as readers get it: its data, what follows from its place, and nothing that was deleted by now. */
export function wireEvent(event: RecordedEvent, room: WireContext): LooseEvent {
  return {
    version: event.version,
    type: event.type,
    at: new Date(event.at).toISOString(),
    ...wireData(event, room),
  };
}

export function wireData(event: RecordedEvent, { startedAt, deleted }: WireContext): Record<string, unknown> {
  const data = current(event).data as Record<string, unknown>;
  if (!isEventType(event.type)) return data;
  const definition = eventOf(event.type);
  const kept = deleted.has(event.version) && definition.redact ? definition.redact(data) : data;
  if (definition.derive === undefined) return kept;
  // A start that is still ahead of the event is none of its business.
  const started = startedAt !== null && startedAt <= event.at ? startedAt : null;
  return { ...kept, ...definition.derive(data, event, started) };
}

/** The event as history tells it (`GET …/events`, exports, `tail`): in the newest schema, whichever it was recorded with. */
export function historyEvent(stored: RecordedEvent, room: WireContext) {
  const event = current(stored);
  const { version, eventId, type, schema, by, commandId } = event;
  const at = new Date(event.at).toISOString();
  return { version, eventId, type, schema, at, by, commandId, data: wireData(event, room) };
}

export function attendeeView(room: Room, userId: number): Attendee {
  const member = room.members.get(userId);
  return {
    userId,
    displayName: member?.displayName ?? '',
    avatarUrl: member?.avatarUrl ?? null,
    isHost: isHost(room, userId),
    isCoHost: room.coHosts.has(userId),
    canSpeak: member?.canSpeak ?? false,
  };
}

/** Attendees who joined after version `after`, in the order of joining. */
export function attendeesPage(room: Room, after: number, limit: number): Omit<AttendeesPage, 'ok'> {
  const items: Attendee[] = [];
  let last = after;
  let more = false;
  for (const [userId, joined] of room.present) {
    if (joined <= after) continue;
    if (items.length === limit) {
      more = true;
      break;
    }
    items.push(attendeeView(room, userId));
    last = joined;
  }
  return { version: room.version, items, nextCursor: more ? String(last) : null };
}

export function chatView(room: WireContext, line: ChatLine): ChatView {
  const { id, userId, displayName, avatarUrl, at } = line;
  const gone = line.message === null || room.deleted.has(id);
  return {
    id,
    userId,
    displayName,
    avatarUrl,
    message: gone ? null : line.message,
    offset_ms: room.startedAt === null ? 0 : Math.max(0, at - room.startedAt),
    createdAt: new Date(at).toISOString(),
    ...(gone && { deleted: true as const }),
  };
}

/** The room as `workshop:state` tells it; `limit` bounds the attendees listed (`Infinity` for all). */
export function stateView(room: Room, epoch: string, limit = stateAttendees): StateView {
  const attendees: Attendee[] = [];
  let place = 0;
  for (const userId of room.present.keys()) {
    if (place++ < limit || isHost(room, userId) || room.coHosts.has(userId) || room.hands.has(userId))
      attendees.push(attendeeView(room, userId));
  }
  return {
    workshopId: room.id,
    version: room.version,
    epoch,
    status: room.status,
    title: room.title,
    hostId: room.hostId,
    coHostIds: [...room.coHosts],
    startedAt: iso(room.startedAt),
    endedAt: iso(room.endedAt),
    scheduledAt: new Date(room.scheduledAt).toISOString(),
    attendees,
    attendeeCount: room.present.size,
    raisedHands: [...room.hands.keys()],
    chat: room.chat.map((line) => chatView(room, line)),
  };
}

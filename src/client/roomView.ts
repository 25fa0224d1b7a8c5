/**
 * The client's view of a room: a `workshop:state`, and then every event folded into it. Pure and immutable: what an event
 * does not change stays the same object, so that a list renders again only if it changed. Agrees with the server's
 * `stateView` at every version; knows no socket.
 */
import type { Status } from '../domain/room.ts';
import type { ErrorCode } from '../protocol/errors.ts';
import type { Attendee, ChatView, LooseEvent, StateView, WireEvent } from '../protocol/wire.ts';

export type RoomView = Readonly<StateView>;

/** How many messages a view holds: a state brings 50, the rest is what came since. */
export const messagesHeld = 500;

/** The fields of a state that are known here, and no others. */
export function roomView(state: StateView): RoomView {
  const { workshopId, version, epoch, status, title, hostId, coHostIds, startedAt, endedAt, scheduledAt } =
    state;
  const { attendees, attendeeCount, raisedHands, chat } = state;
  const room = {
    workshopId,
    version,
    epoch,
    status,
    title,
    hostId,
    coHostIds,
    startedAt,
    endedAt,
    scheduledAt,
  };
  return { ...room, attendees, attendeeCount, raisedHands, chat };
}

/** The view after the event: the same one if it has seen the event already, undefined if events are missing before it. */
export function applyEvent(view: RoomView, event: LooseEvent): RoomView | undefined {
  if (event.version <= view.version) return view;
  if (event.version > view.version + 1) return undefined;
  return { ...view, ...changesBy(view, event), version: event.version };
}

/** What a `workshop:events` says. A client that asked for no roster gets `attendeeCount` instead of who came and went. */
export interface Stretch {
  from: number;
  to: number;
  events: readonly LooseEvent[];
  attendeeCount?: number;
}

/** The view after a stretch of events, which may overlap what it has seen; undefined if events are missing before it. */
export function applyStretch(view: RoomView, stretch: Stretch): RoomView | undefined {
  if (stretch.to <= view.version) return view;
  if (stretch.from > view.version + 1) return undefined;
  let next = view;
  for (const event of stretch.events) {
    // `from` and `to` vouch for the versions between them: those left out are no gap.
    if (event.version > next.version) next = { ...next, ...changesBy(next, event), version: event.version };
  }
  const attendeeCount = stretch.attendeeCount ?? next.attendeeCount;
  return { ...next, attendeeCount, version: Math.max(next.version, stretch.to) };
}

/**
 * The view with a page of `workshop:attendees` in its place in the order of joining. `walked` are the ids of the pages
 * before it: they stand in front, and whoever was listed already beyond them comes after the page.
 */
export function withPage(view: RoomView, walked: ReadonlySet<number>, page: readonly Attendee[]): RoomView {
  const paged = new Set(page.map((attendee) => attendee.userId));
  const others = view.attendees.filter((attendee) => !paged.has(attendee.userId));
  const firstUnwalked = others.findIndex((attendee) => !walked.has(attendee.userId));
  const place = firstUnwalked === -1 ? others.length : firstUnwalked;
  return { ...view, attendees: [...others.slice(0, place), ...page, ...others.slice(place)] };
}

/** An event with the fields that follow from its place, as `wireEvent` sends it. */
type Told =
  | Exclude<WireEvent, { type: 'state-changed' | 'chat-message' }>
  | { type: 'state-changed'; status: Status; startedAt?: string; endedAt?: string }
  | ({ type: 'chat-message' } & ChatView);

type Changes = Partial<StateView>;

function changesBy(view: RoomView, event: LooseEvent): Changes {
  // The server's own events: the type tells the shape. Of a type unknown here nothing is read.
  const told = event as unknown as Told;
  switch (told.type) {
    case 'workshop-scheduled':
      return { title: told.title, hostId: told.hostId, scheduledAt: told.scheduledAt };
    case 'workshop-updated':
      return {
        ...(told.title !== undefined && { title: told.title }),
        ...(told.scheduledAt !== undefined && { scheduledAt: told.scheduledAt }),
      };
    case 'state-changed':
      return statusChange(told);
    case 'user-rsvped':
      return revised(view, told.userId, { displayName: told.displayName, avatarUrl: told.avatarUrl });
    case 'user-joined':
      return arrival(view, told);
    case 'user-left':
      return departure(view, told.userId, true);
    case 'user-removed': {
      // Beyond the attendees listed there is no telling whether someone was present. Who is removed mostly was.
      const present = isListed(view, told.userId) || view.attendees.length < view.attendeeCount;
      const coHostIds = without(view.coHostIds, told.userId);
      return { ...departure(view, told.userId, present), coHostIds };
    }
    case 'hand-raised':
      return { raisedHands: [...without(view.raisedHands, told.userId), told.userId] };
    case 'hand-lowered':
      return { raisedHands: without(view.raisedHands, told.userId) };
    case 'speaker-approved':
      return revised(view, told.userId, { canSpeak: true });
    case 'speaker-revoked':
      return revised(view, told.userId, { canSpeak: false });
    case 'cohost-promoted':
      return {
        ...revised(view, told.userId, { isCoHost: true, canSpeak: true }),
        coHostIds: [...without(view.coHostIds, told.userId), told.userId],
      };
    case 'cohost-demoted':
      return {
        ...revised(view, told.userId, { isCoHost: false }),
        coHostIds: without(view.coHostIds, told.userId),
      };
    case 'chat-message':
      return { chat: [...view.chat, chatLine(told)].slice(-messagesHeld) };
    case 'chat-deleted':
      return { chat: view.chat.map((line) => (line.id === told.id ? deletedLine(line) : line)) };
    default:
      return {};
  }
}

function statusChange(told: Extract<Told, { type: 'state-changed' }>): Changes {
  const over = told.status === 'ended' || told.status === 'cancelled';
  return {
    status: told.status,
    ...(told.startedAt !== undefined && { startedAt: told.startedAt }),
    ...(told.endedAt !== undefined && { endedAt: told.endedAt }),
    // Everyone's presence ends with the workshop, and no event follows that says so.
    ...(over && { attendees: [], attendeeCount: 0, raisedHands: [] }),
  };
}

function arrival(view: RoomView, told: Attendee): Changes {
  const { userId, displayName, avatarUrl, isHost, isCoHost, canSpeak } = told;
  const attendee = { userId, displayName, avatarUrl, isHost, isCoHost, canSpeak };
  const others = view.attendees.filter((other) => other.userId !== userId);
  const isNew = others.length === view.attendees.length;
  return { attendees: [...others, attendee], attendeeCount: view.attendeeCount + (isNew ? 1 : 0) };
}

function departure(view: RoomView, userId: number, wasPresent: boolean): Changes {
  return {
    attendees: isListed(view, userId)
      ? view.attendees.filter((attendee) => attendee.userId !== userId)
      : view.attendees,
    attendeeCount: view.attendeeCount - (wasPresent ? 1 : 0),
    raisedHands: without(view.raisedHands, userId),
  };
}

function revised(view: RoomView, userId: number, change: Partial<Attendee>): Changes {
  if (!isListed(view, userId)) return {};
  const revise = (attendee: Attendee) => (attendee.userId === userId ? { ...attendee, ...change } : attendee);
  return { attendees: view.attendees.map(revise) };
}

function isListed(view: RoomView, userId: number): boolean {
  return view.attendees.some((attendee) => attendee.userId === userId);
}

/** The list without the id; the same list where the id is not in it. */
function without(ids: number[], id: number): number[] {
  return ids.includes(id) ? ids.filter((other) => other !== id) : ids;
}

function chatLine(told: ChatView): ChatView {
  const { id, userId, displayName, avatarUrl, message, offset_ms, createdAt } = told;
  const line = { id, userId, displayName, avatarUrl, message, offset_ms, createdAt };
  return message === null ? deletedLine(line) : line;
}

function deletedLine(line: ChatView): ChatView {
  return { ...line, message: null, deleted: true };
}

/** What is still known of the room after a join was refused for good. */
export function viewAfterRefusal(view: RoomView | null, code: ErrorCode): RoomView | null {
  if (code !== 'invalid_state') return null;
  if (isOver(view)) return view;
  // The one thing that can have happened to a live workshop that can't be joined is that it ended unseen.
  if (view?.status === 'live')
    return { ...view, status: 'ended', attendees: [], attendeeCount: 0, raisedHands: [] };
  return null;
}

export function isOver(view: RoomView | null): boolean {
  return view?.status === 'ended' || view?.status === 'cancelled';
}

/** An answer to `workshop:attendees` that has one. */
export function isPage(
  answer: unknown,
): answer is { version: number; items: Attendee[]; nextCursor: string | null } {
  return typeof answer === 'object' && answer !== null && 'items' in answer && Array.isArray(answer.items);
}

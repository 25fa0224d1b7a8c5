/**
 * One pass over a workshop's events, with the room as each of them leaves it. What grows with the number of events is
 * forgotten page by page: a pass holds the members and one page, however long the workshop was.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { EventData, EventType } from '../domain/catalog.ts';
import { evolve, type RecordedEvent } from '../domain/evolve.ts';
import { emptyRoom, type Room } from '../domain/room.ts';
import { type CurrentEvent, current } from '../domain/upcast.ts';
import type { WireContext } from '../protocol/wire.ts';

export type Pages = AsyncIterable<RecordedEvent[]>;

/** Is shown each event and the room right after it, whose `chat`, `authors` and `deleted` are not to be relied on. */
export type Watch = (event: CurrentEvent, room: Room) => void;

/** Gives the room after each page, the same object every time. */
export async function* following(pages: Pages, workshopId: number, watch: Watch): AsyncGenerator<Room> {
  const room = emptyRoom(workshopId);
  for await (const page of pages) {
    for (const stored of page) {
      const event = current(stored);
      evolve(room, event);
      watch(event, room);
    }
    room.chat = [];
    room.authors.clear();
    room.deleted.clear();
    yield room;
    // A log in memory is read without ever waiting: others get their turn here.
    await nextTurn();
  }
}

/** The room after the last event. */
export async function follow(pages: Pages, workshopId: number, watch: Watch): Promise<Room> {
  let last = emptyRoom(workshopId);
  for await (const room of following(pages, workshopId, watch)) last = room;
  return last;
}

/** Whether an event is of that type, and has its data. */
export function isOf<T extends EventType>(
  event: CurrentEvent,
  type: T,
): event is CurrentEvent & { type: T; data: EventData[T] } {
  return event.type === type;
}

/** For who has no room at hand that knows it: a pass of its own over the events. */
export async function wireContextOf(pages: Pages): Promise<WireContext> {
  const context: WireContext = { startedAt: null, deleted: new Set() };
  for await (const page of pages)
    for (const stored of page) {
      const event = current(stored);
      if (isOf(event, 'chat-deleted')) context.deleted.add(event.data.id);
      if (isOf(event, 'state-changed') && event.data.status === 'live') context.startedAt = event.at;
    }
  return context;
}

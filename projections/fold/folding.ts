/** Folding events into a workshop's state, and into the rows that differ afterwards: one to a key, however many events. */
import { eventOf, isEventType } from '../../src/domain/catalog.ts';
import { deletedBy } from '../../src/domain/erasing.ts';
import { evolve, type RecordedEvent } from '../../src/domain/evolve.ts';
import type { Room } from '../../src/domain/room.ts';
import { type CurrentEvent, current } from '../../src/domain/upcast.ts';
import { attend, attendeeRow, newAttendance } from '../attendees/projection.ts';
import type { AttendeeRow } from '../attendees/schema.ts';
import { chatRow, type Deletion } from '../chat/projection.ts';
import type { ChatRow } from '../chat/schema.ts';
import { eventRow, redactRow } from '../events/projection.ts';
import type { EventRow } from '../events/schema.ts';
import { workshopRow } from '../workshops/projection.ts';
import type { WorkshopRow } from '../workshops/schema.ts';
import { emptyState, type WorkshopState } from './state.ts';

/** Rows as they stand after a batch. Written again, they change nothing. */
export interface Changes {
  workshops: WorkshopRow[];
  attendees: AttendeeRow[];
  chat: ChatRow[];
  /** Of messages that are not in `chat`. */
  deletions: Deletion[];
  events: EventRow[];
}

export function noChanges(): Changes {
  return { workshops: [], attendees: [], chat: [], deletions: [], events: [] };
}

export interface Folding {
  /** Folds the workshop's next event. Throws where the event can't be folded: state and folding are then spoilt. */
  add(event: RecordedEvent): void;
  /** Adds the rows that changed. Once, at the end. */
  addTo(changes: Changes): void;
}

/**
 * Folds events of one workshop that go into the same commit. The messages in `deleted` are known to be deleted by later
 * events: they have no text from the beginning.
 */
export function folding(
  state: WorkshopState,
  epoch: string,
  deleted?: Pick<ReadonlySet<number>, 'has'>,
): Folding {
  const { room, attendances } = state;
  const touched = new Set<number>();
  const messages = new Map<number, ChatRow>();
  const events = new Map<number, EventRow>();
  const deletions: Deletion[] = [];

  function remove(id: number, deletedAt: number): void {
    const message = messages.get(id);
    const event = events.get(id);
    if (event !== undefined) redactRow(event);
    if (message === undefined) deletions.push({ workshopId: room.id, id, deletedAt });
    else Object.assign(message, { message: null, deletedAt: message.deletedAt ?? deletedAt });
  }

  return {
    add(stored) {
      const event = current(stored);
      const people = concerned(room, event);
      evolve(room, event);
      for (const userId of people) {
        let attendance = attendances.get(userId);
        if (attendance === undefined) {
          attendance = newAttendance(room, userId);
          attendances.set(userId, attendance);
        }
        attend(attendance, room, userId, event);
        touched.add(userId);
      }
      // As it was recorded: the table keeps what the log has.
      const row = eventRow(room.id, stored);
      const isDeleted = deleted?.has(event.version) === true;
      if (isDeleted) redactRow(row);
      events.set(event.version, row);
      if (event.type === 'chat-message') {
        const message = isDeleted ? current({ ...stored, data: row.data }) : event;
        messages.set(event.version, chatRow(room, message));
      }
      const gone = deletedBy(event);
      if (gone !== undefined) remove(gone, event.at);
    },
    addTo(changes) {
      state.epoch = epoch;
      // The tables keep the chat; a projector need not.
      room.chat = [];
      room.authors.clear();
      room.deleted.clear();
      changes.workshops.push(workshopRow(room, epoch));
      for (const userId of touched) {
        const attendance = attendances.get(userId);
        if (attendance !== undefined) changes.attendees.push(attendeeRow(attendance, room, userId));
      }
      changes.chat.push(...messages.values());
      changes.events.push(...events.values());
      changes.deletions.push(...deletions);
    },
  };
}

/** All rows of a workshop as its events alone tell: what the tables should hold. */
export function rowsOf(workshopId: number, epoch: string, events: Iterable<RecordedEvent>): Changes {
  const fold = folding(emptyState(workshopId), epoch);
  for (const event of events) fold.add(event);
  const changes = noChanges();
  fold.addTo(changes);
  return changes;
}

/** Everyone's rows as the state has them. */
export function attendeeRows({ room, attendances }: WorkshopState): AttendeeRow[] {
  return [...attendances].map(([userId, attendance]) => attendeeRow(attendance, room, userId));
}

/** Whose rows the event may change: whom its marks name, and everyone present where it changes the status. */
function concerned(room: Room, event: CurrentEvent): number[] {
  if (!isEventType(event.type)) return [];
  if (event.type === 'state-changed') return [...room.present.keys()];
  return eventOf(event.type)
    .marks(event.data)
    .flatMap((mark) => (mark.startsWith('user:') ? [Number(mark.slice(5))] : []));
}

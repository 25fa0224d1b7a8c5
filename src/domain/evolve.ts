/**
 * Folding recorded events into a room: the one way in which live rooms, late joins, resumes and replays come about.
 * An event of an unknown type changes nothing but the version, so that an older node can follow a newer one.
 */
import { eventOf, isEventType } from './catalog.ts';
import type { RecordedEvent } from './define.ts';
import { emptyRoom, type Room } from './room.ts';
import { read } from './upcast.ts';

export type { RecordedEvent } from './define.ts';

/**
 * The number of this fold. It grows with everything that makes another room of the same events – also with a new type of
 * event, which older programs pass over – and with what a snapshot keeps of a room: what an older fold made is then not used.
 * `test/golden/reducer.test.ts` notices a change that it did not grow with.
 */
export const reducer = 1;

/** Applies the next event to the room, in place. Throws where it is not the next one, and `UnknownSchema`: the room stays then. */
export function evolve(room: Room, event: RecordedEvent): void {
  if (event.version !== room.version + 1)
    throw new Error(`workshop ${room.id}: event ${event.version} does not follow version ${room.version}`);
  const definition = isEventType(event.type) ? eventOf(event.type) : undefined;
  const data = definition && read(event, definition).data;
  room.version = event.version;
  room.at = event.at;
  definition?.evolve(room, data, event);
}

/** Applies those of the events that the room has not seen; they come in order and may overlap what it has. */
export function evolveAll(room: Room, events: Iterable<RecordedEvent>): void {
  for (const event of events) if (event.version > room.version) evolve(room, event);
}

export function fold(workshopId: number, events: Iterable<RecordedEvent>): Room {
  const room = emptyRoom(workshopId);
  evolveAll(room, events);
  return room;
}

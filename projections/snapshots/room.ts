/**
 * A room as a snapshot keeps it. Of the chat it has ids alone: the lines are read from the events when it is used, so no text
 * outlives its deletion here. Who wrote which message and what was deleted is not in it either, since a past state takes
 * that from the present room.
 */
import { chatKept, type Room } from '../../src/domain/room.ts';
import { restoredRoom, type StoredRoom, storedRoom } from '../../src/domain/roomText.ts';

/** A room that was taken up in the middle of its history: its own chat begins where `chat` ends. */
export interface ResumedRoom {
  room: Room;
  /** Ids of the messages before those that the room has, oldest first. */
  chat: readonly number[];
}

interface Stored extends StoredRoom {
  chat: number[];
}

/** Whoever changes what this writes raises `reducer`, as if the fold had changed. */
export function snapshotText({ room, chat }: ResumedRoom): string {
  const stored: Stored = {
    ...storedRoom(room),
    chat: [...chat, ...room.chat.map(({ id }) => id)].slice(-chatKept),
  };
  return JSON.stringify(stored);
}

/** Throws where the text was not written by `snapshotText`. */
export function roomOf(text: string): ResumedRoom {
  const stored = JSON.parse(text) as Stored; // written above, under the same number
  return { room: restoredRoom(stored), chat: stored.chat };
}

/** Chat messages and their deletions as rows and changes of `workshop_chat_messages`. */
import type { EventData } from '../../src/domain/catalog.ts';
import type { Room } from '../../src/domain/room.ts';
import type { CurrentEvent } from '../../src/domain/upcast.ts';
import type { ChatRow } from './schema.ts';

/** A deletion of a message that an earlier commit has written. */
export interface Deletion {
  workshopId: number;
  id: number;
  deletedAt: number;
}

/** `room` has just folded the event. */
export function chatRow(room: Room, { version, at, data }: CurrentEvent): ChatRow {
  // The engine recorded it by the event's own schema; one that was deleted since then has no text.
  const line = data as Omit<EventData['chat-message'], 'message'> & { message: string | null };
  return {
    workshopId: room.id,
    id: version,
    userId: line.userId,
    displayName: line.displayName,
    avatarUrl: line.avatarUrl,
    message: line.message,
    offsetMs: room.startedAt === null ? 0 : Math.max(0, at - room.startedAt),
    createdAt: at,
    deletedAt: null,
  };
}

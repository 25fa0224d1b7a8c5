/** Rooms that were folded before, by any node: what a workshop is taken up from, instead of its first event. */
import { evolveAll } from '../domain/evolve.ts';
import { emptyRoom, type Room } from '../domain/room.ts';
import { roomOfText, roomText } from '../domain/roomText.ts';
import { type EventLog, type HeadWithPast, isPart, readAll } from '../log/log.ts';

export type FoldedLog = Pick<EventLog, 'events' | 'snapshots'>;

/** So many events more than the last one has are worth another one: reading them takes about as long as reading a room. */
export const worthKeeping = 200;

/** A room up to its version, whose last event has that id where the log lost nothing since: to be compared. */
export interface KeptRoom {
  room: Room;
  eventId: string;
}

/** What a reading of a workshop begins with. */
export interface Beginning {
  head: HeadWithPast | null;
  /** The newest snapshot, if it is of an epoch that is part of the workshop. */
  kept: KeptRoom | undefined;
}

/** In one round trip. */
export async function beginning(log: FoldedLog, id: number): Promise<Beginning> {
  // The head is read first: what was folded before the events were rewritten is of an epoch that no head after that has.
  const [head, kept] = await Promise.all([log.events.head(id), log.snapshots.read(id)]);
  if (head === null || kept === null || !isPart(head, kept.epoch, kept.version))
    return { head, kept: undefined };
  const room = roomOfText(kept.room);
  return { head, kept: room && { room, eventId: kept.eventId } };
}

/** The room as the log has it now, and the version of the snapshot that it was folded from. */
export async function foldedRoom(
  log: FoldedLog,
  id: number,
  kept: KeptRoom | undefined,
): Promise<{ room: Room; from: number }> {
  if (kept !== undefined) {
    const { room, eventId } = kept;
    const from = room.version;
    let isThere = false;
    for await (const page of readAll(log.events, id, from - 1)) {
      isThere ||= page[0]?.version === from && page[0].eventId === eventId;
      if (!isThere) break;
      evolveAll(room, page);
    }
    if (isThere) return { room, from };
  }
  const room = emptyRoom(id);
  for await (const page of readAll(log.events, id)) evolveAll(room, page);
  return { room, from: 0 };
}

export function keepSnapshot(log: FoldedLog, room: Readonly<Room>, epoch: string): Promise<void> {
  return log.snapshots.keep(room.id, { version: room.version, epoch, room: roomText(room) });
}

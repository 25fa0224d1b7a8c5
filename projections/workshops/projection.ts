/** A room as its row in `workshops`. */
import type { Room } from '../../src/domain/room.ts';
import type { WorkshopRow } from './schema.ts';

export function workshopRow(room: Room, epoch: string): WorkshopRow {
  return {
    id: room.id,
    hostId: room.hostId,
    title: room.title,
    description: room.description,
    visibility: room.visibility,
    status: room.status,
    capacity: room.capacity,
    scheduledAt: room.scheduledAt,
    durationMinutes: room.durationMinutes,
    startedAt: room.startedAt,
    endedAt: room.endedAt,
    createdAt: room.createdAt,
    version: room.version,
    epoch,
  };
}

/** Puts back into an empty room what its row has. */
export function restoreWorkshop(room: Room, row: WorkshopRow): void {
  const { epoch: _, ...stored } = row;
  Object.assign(room, stored);
}

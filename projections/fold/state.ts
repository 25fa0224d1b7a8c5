/**
 * What folding a workshop's next event takes: its room, so that rights are what the domain says, and each person's
 * attendance. It comes from the tables, not from the events: a restart does not read a stream again.
 */
import { emptyRoom, memberOf, type Room } from '../../src/domain/room.ts';
import { type Attendance, restoreAttendee } from '../attendees/projection.ts';
import { type AttendeeRow, attendees } from '../attendees/schema.ts';
import { namedColumns } from '../database/columns.ts';
import type { Database } from '../database/database.ts';
import { arrayText } from '../database/encoding.ts';
import { restoreWorkshop } from '../workshops/projection.ts';
import { type WorkshopRow, workshops } from '../workshops/schema.ts';

export interface WorkshopState {
  room: Room;
  /** Epoch of the log in which the last event was folded; empty before the first. */
  epoch: string;
  /** Of everyone who has a row. */
  attendances: Map<number, Attendance>;
}

export function emptyState(workshopId: number): WorkshopState {
  return { room: emptyRoom(workshopId), epoch: '', attendances: new Map() };
}

/** The states of these workshops as the tables have them; an empty one where there is no row. */
export async function loadStates(
  database: Database,
  workshopIds: readonly number[],
): Promise<Map<number, WorkshopState>> {
  const states = new Map(workshopIds.map((id) => [id, emptyState(id)]));
  if (workshopIds.length === 0) return states;
  const ids = arrayText(workshopIds);
  const [found, people] = await Promise.all([
    database.query(`select ${namedColumns(workshops)} from workshops where id = any($1::text::bigint[])`, [
      ids,
    ]),
    // Who joined first comes first, as in a room that was folded from its events.
    database.query(
      `select ${namedColumns(attendees)} from workshop_attendees
       where workshop_id = any($1::text::bigint[]) order by present_since, user_id`,
      [ids],
    ),
  ]);
  for (const each of found) {
    const row = each as unknown as WorkshopRow; // the columns of this very table
    const state = states.get(row.id);
    // Version 0: to be folded from the first event on.
    if (state === undefined || row.version === 0) continue;
    restoreWorkshop(state.room, row);
    state.epoch = row.epoch;
    // The host may speak, and has no row before they first come in.
    memberOf(state.room, row.hostId).canSpeak = true;
  }
  for (const person of people) {
    const row = person as unknown as AttendeeRow; // as above
    const state = states.get(row.workshopId);
    if (state === undefined || state.room.version === 0) continue;
    state.attendances.set(row.userId, restoreAttendee(state.room, row));
  }
  return states;
}

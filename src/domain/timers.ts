/** What a workshop does by itself and when. The clock is the caller's; all times are milliseconds since 1970. */
import type { CommandName } from './catalog.ts';
import type { Room } from './room.ts';

export interface TimerSettings {
  lobbyOpensMinutes: number;
  maxLiveHours: number;
  hostAbsentMinutes: number;
}

export interface Timer {
  at: number;
  command: Extract<CommandName, 'open-lobby' | 'cancel' | 'end'>;
}

const minute = 60_000;
const hour = 60 * minute;

/** What was not started this long after its time is cancelled. */
export const unstartedHours = 24;

/** The next thing that time alone brings about, or undefined once the workshop is over. */
export function nextTimer(room: Room, settings: TimerSettings): Timer | undefined {
  const cancelAt = room.scheduledAt + unstartedHours * hour;
  switch (room.status) {
    case 'scheduled': {
      const opensAt = Math.max(
        room.scheduledAt - settings.lobbyOpensMinutes * minute,
        room.createdAt + minute,
      );
      // Scheduled further back than a lobby would still make sense: there is nothing left to open.
      if (opensAt >= cancelAt) return { at: cancelAt, command: 'cancel' };
      return { at: opensAt, command: 'open-lobby' };
    }
    case 'lobby':
      return { at: cancelAt, command: 'cancel' };
    case 'live': {
      const tooLong = (room.startedAt ?? room.at) + settings.maxLiveHours * hour;
      if (room.hostsAbsentSince === null) return { at: tooLong, command: 'end' };
      const absentSince = Math.max(room.hostsAbsentSince, room.startedAt ?? 0);
      return { at: Math.min(tooLong, absentSince + settings.hostAbsentMinutes * minute), command: 'end' };
    }
    case 'ended':
    case 'cancelled':
      return undefined;
  }
}

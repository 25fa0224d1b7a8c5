/** Where the fold of a past room begins: at the newest snapshot that fits, or with nothing. */
import type { RecordedEvent } from '../../src/domain/evolve.ts';
import { emptyRoom } from '../../src/domain/room.ts';
import { type ResumedRoom, roomOf } from './room.ts';
import type { Bound, Snapshots } from './snapshots.ts';

/** What snapshots need of a workshop's history: its version when it was opened, and the events up to there. */
export interface FoldedHistory {
  readonly workshopId: number;
  readonly version: number;
  read(after: number, limit: number): Promise<RecordedEvent[]>;
  pages(after?: number, size?: number): AsyncIterable<readonly RecordedEvent[]>;
}

/** A snapshot counts only if the history has that very event at its version: the log may have lost what was folded. */
export async function resumed(
  snapshots: Pick<Snapshots, 'before'>,
  history: FoldedHistory,
  bound: Bound,
): Promise<ResumedRoom> {
  for (let { version } = bound; ; ) {
    const found = await snapshots.before(history.workshopId, { ...bound, version });
    if (found === undefined) return { room: emptyRoom(history.workshopId), chat: [] };
    const [event] = await history.read(found.version - 1, 1);
    if (event?.eventId === found.eventId) return roomOf(found.room);
    version = found.version - 1;
  }
}

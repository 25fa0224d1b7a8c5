/** People and rooms of the benchmarks. */
import type { User } from '../src/domain/define.ts';
import type { Engine } from '../src/engine/engine.ts';
import type { EventLog } from '../src/log/log.ts';

export const message = 'A message of about the length that people write in a chat, give or take a few words.';

export function person(userId: number): User {
  return { kind: 'user', userId, displayName: `User ${userId}`, avatarUrl: null, roles: [] };
}

/** Live rooms with that many members each, who are all present if `joined`. Answers with the workshops' ids. */
export async function openRooms(
  { log, engine }: { log: EventLog; engine: Engine },
  { rooms, members, joined }: { rooms: number; members: number; joined: boolean },
): Promise<number[]> {
  const ids: number[] = [];
  for (let room = 0; room < rooms; room++) {
    const { workshopId } = await log.ids.allocate();
    ids.push(workshopId);
    const schedule = { title: 'Bench', scheduledAt: new Date().toISOString(), visibility: 'public' };
    await engine.handle({ workshopId, name: 'schedule-workshop', payload: schedule, actor: person(1) });
    await engine.handle({ workshopId, name: 'start', payload: {}, actor: person(1) });
    await Promise.all(
      Array.from({ length: members }, async (_, n) => {
        const actor = person(2 + n);
        await engine.handle({ workshopId, name: 'rsvp', payload: {}, actor });
        if (joined) await engine.handle({ workshopId, name: 'join', payload: {}, actor });
      }),
    );
  }
  return ids;
}

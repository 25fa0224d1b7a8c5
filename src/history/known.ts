/** What has to be known of a whole workshop before its first event can be told as it is told now. */
import type { Room } from '../domain/room.ts';
import { isOf, type Pages } from './following.ts';

/** When it went live, and which messages are deleted by now. */
export type Known = Pick<Room, 'startedAt' | 'deleted'>;

/** For who has no room at hand that knows it: a pass of its own over the events. */
export async function knownOf(pages: Pages): Promise<Known> {
  const known: Known = { startedAt: null, deleted: new Set() };
  for await (const page of pages)
    for (const event of page) {
      if (isOf(event, 'chat-deleted')) known.deleted.add(event.data.id);
      if (isOf(event, 'state-changed') && event.data.status === 'live') known.startedAt = event.at;
    }
  return known;
}

/** The chat as rows, with nothing that was deleted by now. */
import { chatView } from '../protocol/wire.ts';
import { isOf, type Pages } from './following.ts';
import type { Known } from './known.ts';

export interface ChatRow {
  id: number;
  at: string;
  /** Since the workshop went live; 0 before. */
  offsetMs: number;
  userId: number;
  displayName: string;
  /** null once deleted. */
  message: string | null;
  deleted: boolean;
}

/** `known` is asked after each page, so that what is deleted meanwhile is not in what follows. */
export async function* chatRows(pages: Pages, known: () => Promise<Known>): AsyncGenerator<ChatRow[]> {
  for await (const page of pages) {
    const now = await known();
    const rows: ChatRow[] = [];
    for (const event of page) {
      if (!isOf(event, 'chat-message')) continue;
      const { version, at, data } = event;
      const view = chatView(now, { id: version, at, ...data });
      const { id, offset_ms: offsetMs, userId, displayName, message } = view;
      const deleted = view.deleted === true;
      rows.push({ id, at: view.createdAt, offsetMs, userId, displayName, message, deleted });
    }
    yield rows;
  }
}

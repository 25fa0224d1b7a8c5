/** Reads of `workshop_chat_messages`. */
import { and, asc, desc, eq, gt, lt } from 'drizzle-orm';
import type { ChatView } from '../../src/protocol/wire.ts';
import { isoText } from '../database/columns.ts';
import type { Database } from '../database/database.ts';
import { keyOf, type Page, type PageRequest, pageOf, reading } from '../database/page.ts';
import { type ChatRow, chatMessages } from './schema.ts';

/** The chat from its first message on; a deleted one keeps its place. */
export function listChat(
  { drizzle }: Database,
  workshopId: number,
  { cursor, limit }: PageRequest,
): Promise<Page<ChatView>> {
  return reading(async () => {
    const after = keyOf(cursor);
    const rows = await drizzle
      .select()
      .from(chatMessages)
      .where(
        and(
          eq(chatMessages.workshopId, workshopId),
          after === undefined ? undefined : gt(chatMessages.id, after),
        ),
      )
      .orderBy(asc(chatMessages.id))
      .limit(limit + 1);
    return pageOf(rows, limit, chatLine, (row) => row.id);
  });
}

/** The last messages before that one, the oldest of them first: what a reader who scrolls up comes to. */
export function listChatBefore(
  { drizzle }: Database,
  workshopId: number,
  { before, limit }: { before: number; limit: number },
): Promise<ChatView[]> {
  return reading(async () => {
    const rows = await drizzle
      .select()
      .from(chatMessages)
      .where(and(eq(chatMessages.workshopId, workshopId), lt(chatMessages.id, before)))
      .orderBy(desc(chatMessages.id))
      .limit(limit);
    return rows.reverse().map(chatLine);
  });
}

function chatLine(row: ChatRow): ChatView {
  const { id, userId, displayName, avatarUrl, message, offsetMs, createdAt, deletedAt } = row;
  const gone = deletedAt !== null || message === null;
  return {
    ...{ id, userId, displayName, avatarUrl },
    message: gone ? null : message,
    offset_ms: offsetMs,
    createdAt: isoText(createdAt),
    ...(gone && { deleted: true as const }),
  };
}

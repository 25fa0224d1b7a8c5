/** A room's chat for React, on the socket and the view that `useWorkshopSocket` has: nothing is joined or fetched twice. */
import { useMemo } from 'react';
import type { Socket } from 'socket.io-client';
import { refusal } from '../client/reply.ts';
import { followerOf, type Reply, unknownRoom } from '../client/workshopClient.ts';
import type { ChatView } from '../protocol/wire.ts';
import { useStore } from './useWorkshopSocket.ts';

export interface ChatMessage {
  id: number;
  userId: number;
  displayName: string;
  avatarUrl: string | null;
  /** null once deleted. */
  message: string | null;
  /** Milliseconds since the workshop went live, 0 before. */
  offsetMs: number;
  createdAt: Date;
}

export interface WorkshopChat {
  /** Oldest first: the last 50 at the time of joining, and everything since. */
  messages: ChatMessage[];
  /**
   * Resolves to the server's reply and never rejects. Sent again with the same `commandId` (a UUID) within ten minutes, also by
   * another page, it is said once: who keeps the id with the text can ask again after a reload.
   */
  sendMessage(message: string, options?: { commandId?: string | undefined }): Promise<Reply>;
  deleteMessage(messageId: number): Promise<Reply>;
}

const silence: ChatView[] = [];

export function useWorkshopChat(socket: Socket | null, workshopId: number | null): WorkshopChat {
  const follower = useMemo(
    () => (socket === null || workshopId === null ? null : followerOf(socket, workshopId)),
    [socket, workshopId],
  );
  const lines = useStore(follower, unknownRoom).view?.chat ?? silence;
  const messages = useMemo(() => lines.map(messageOf), [lines]);
  const commands = useMemo(() => {
    const send = (name: string, payload: object) =>
      follower?.send(name, payload) ?? Promise.resolve(refusal('not_joined'));
    return {
      sendMessage: (message: string, { commandId }: { commandId?: string | undefined } = {}) =>
        send('chat', { message, ...(commandId !== undefined && { commandId }) }),
      deleteMessage: (messageId: number) => send('delete-chat', { messageId }),
    };
  }, [follower]);
  return { messages, ...commands };
}

/** Messages by the line they were made of: what did not change stays the same object. */
const made = new WeakMap<ChatView, ChatMessage>();

export function messageOf(line: ChatView): ChatMessage {
  const known = made.get(line);
  if (known !== undefined) return known;
  const { id, userId, displayName, avatarUrl, message, offset_ms, createdAt } = line;
  const fresh = {
    id,
    userId,
    displayName,
    avatarUrl,
    message,
    offsetMs: offset_ms,
    createdAt: new Date(createdAt),
  };
  made.set(line, fresh);
  return fresh;
}

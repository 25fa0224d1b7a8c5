/** The chat before what the room's state brings: page by page as one scrolls up, from the tables. */
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { ChatMessage } from '../../src/hooks/useWorkshopChat.ts';
import type { WorkshopSocket } from '../../src/hooks/useWorkshopSocket.ts';
import { api, type ListedMessage } from '../shared/api.ts';

export interface OlderChat {
  /** Older ones first, then `messages`. */
  all: ChatMessage[];
  state: 'idle' | 'loading' | 'failed' | 'complete';
  load(): Promise<void>;
}

/** As a state's messages and a page of the tables are long. */
const stateHolds = 50;
const pageHolds = 100;

export function useOlderChat(
  { socket }: Pick<WorkshopSocket, 'socket'>,
  workshopId: number,
  messages: ChatMessage[],
): OlderChat {
  const [older, setOlder] = useState<ChatMessage[]>([]);
  const [state, setState] = useState<OlderChat['state']>('idle');
  const first = messages[0]?.id;
  const before = useRef(messages);

  // What the view lets go of at its far end is kept where one has scrolled up to it, so that no hole opens.
  useEffect(() => {
    const gone = before.current.filter(({ id }) => first !== undefined && id < first);
    before.current = messages;
    if (gone.length > 0) setOlder((had) => (had.length === 0 ? had : merged(had, gone)));
  }, [messages, first]);

  useEffect(() => {
    if (socket === null) return;
    const forget = ({ id }: { id: number }) =>
      setOlder((had) => had.map((one) => (one.id === id ? { ...one, message: null } : one)));
    socket.on('workshop:chat-deleted', forget);
    return () => void socket.off('workshop:chat-deleted', forget);
  }, [socket]);

  const oldest = older[0]?.id ?? first;
  const load = useCallback(async () => {
    if (oldest === undefined || state === 'loading' || state === 'complete') return;
    setState('loading');
    const answer = await api.chat(workshopId, { before: oldest });
    if (!answer.ok) return setState('failed');
    const { items } = answer.value;
    setOlder((had) => merged(items.map(messageOf), had));
    setState(items.length < pageHolds ? 'complete' : 'idle');
  }, [workshopId, oldest, state]);

  const all = useMemo(
    () => [...older.filter(({ id }) => first === undefined || id < first), ...messages],
    [older, messages, first],
  );
  const short = older.length === 0 && messages.length < stateHolds;
  return { all, state: short ? 'complete' : state, load };
}

function merged(one: ChatMessage[], other: ChatMessage[]): ChatMessage[] {
  const known = new Map([...one, ...other].map((message) => [message.id, message]));
  return [...known.values()].sort((a, b) => a.id - b.id);
}

function messageOf({ createdAt, ...listed }: ListedMessage): ChatMessage {
  return { ...listed, createdAt: new Date(createdAt) };
}

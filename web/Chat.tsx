/** The room's chat. What one sends stands there at once, marked as on its way, and stays if it could not be sent. */
import { type FormEvent, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { type ChatMessage, useWorkshopChat } from '../src/hooks/useWorkshopChat.ts';
import type { Reply, WorkshopSocket } from '../src/hooks/useWorkshopSocket.ts';
import { Avatar } from './Avatar.tsx';
import type { User } from './api.ts';
import { standingIn } from './standing.ts';
import { sayClock, sayRefusal } from './words.ts';

const longest = 1_000;

interface ChatProps {
  me: User;
  room: WorkshopSocket;
  workshopId: number;
  attempt(asked: Promise<Reply>): Promise<boolean>;
}

/** A message of one's own that the room does not show yet. */
interface Outgoing {
  key: number;
  text: string;
  /** What went wrong; empty while it is on its way. */
  problem: string;
}

export function Chat({ me, room, workshopId, attempt }: ChatProps) {
  const { messages, sendMessage, deleteMessage } = useWorkshopChat(room.socket, workshopId);
  const { outgoing, send, drop } = useOutgoing(sendMessage);
  const news = useNews(messages, me);
  const list = useStuckToEnd(messages.length + outgoing.length);
  const { moderates, isOpen, isOver } = standingIn(room.workshopState, me.userId);

  return (
    <section className="card chat" aria-labelledby="chat">
      <h2 id="chat">Chat</h2>
      {messages.length + outgoing.length === 0 && isOpen && (
        <p className="soft">Nothing has been said yet.</p>
      )}
      {/* Not itself a live region: a screen reader would read it all again after every change. */}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <ol ref={list} className="messages" role="log" aria-live="off" aria-labelledby="chat" tabIndex={0}>
        {messages.map((message) => (
          <Line
            key={message.id}
            message={message}
            onDelete={
              isOpen && (moderates || message.userId === me.userId)
                ? () => void attempt(deleteMessage(message.id))
                : undefined
            }
          />
        ))}
        {outgoing.map(({ key, text, problem }) => (
          <li key={`outgoing ${key}`} className="outgoing">
            <p className="said">{text}</p>
            {problem === '' ? (
              <p className="soft">Sending…</p>
            ) : (
              <p className="row">
                <span className="problem">Not sent: {problem}</span>
                <button type="button" className="small" onClick={() => send(text, key)}>
                  Send again
                </button>
                <button type="button" className="quiet small" onClick={() => drop(key)}>
                  Discard
                </button>
              </p>
            )}
          </li>
        ))}
      </ol>
      <p className="hidden" role="status">
        {news}
      </p>
      {!isOver && <Composer enabled={isOpen} onSend={send} />}
    </section>
  );
}

function Line({ message, onDelete }: { message: ChatMessage; onDelete: (() => void) | undefined }) {
  const { displayName, createdAt, message: text } = message;
  return (
    <li className="line">
      <Avatar {...message} />
      <div className="grow">
        <p className="byline">
          <strong className="clip">{displayName}</strong>
          <time className="soft" dateTime={createdAt.toISOString()}>
            {sayClock(createdAt)}
          </time>
          {onDelete !== undefined && text !== null && (
            <button
              type="button"
              className="quiet small delete"
              aria-label={`Delete the message of ${displayName}`}
              onClick={onDelete}
            >
              Delete
            </button>
          )}
        </p>
        <p className={text === null ? 'soft said' : 'said'}>{text ?? 'This message was deleted.'}</p>
      </div>
    </li>
  );
}

function Composer({ enabled, onSend }: { enabled: boolean; onSend(text: string): void }) {
  const [draft, setDraft] = useState('');
  const left = longest - [...draft.trim()].length;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (draft.trim() === '' || left < 0) return;
    onSend(draft.trim());
    setDraft('');
  };
  return (
    <form className="row composer" onSubmit={submit}>
      <input
        aria-label="Message"
        placeholder={enabled ? 'Say something' : 'The chat opens with the lobby'}
        disabled={!enabled}
        autoComplete="off"
        value={draft}
        onChange={(event) => setDraft(event.target.value)}
      />
      {left < 100 && <span className={left < 0 ? 'problem' : 'soft'}>{left}</span>}
      <button type="submit" className="primary" disabled={!enabled || draft.trim() === '' || left < 0}>
        Send
      </button>
    </form>
  );
}

function useOutgoing(sendMessage: (text: string) => Promise<Reply>) {
  const [outgoing, setOutgoing] = useState<Outgoing[]>([]);
  const keys = useRef(0);
  const drop = (key: number) => setOutgoing((all) => all.filter((one) => one.key !== key));
  const send = (text: string, again?: number) => {
    const key = again ?? ++keys.current;
    setOutgoing((all) => [...all.filter((one) => one.key !== key), { key, text, problem: '' }]);
    void sendMessage(text).then((reply) => {
      if (reply.ok) return drop(key);
      const problem = sayRefusal(reply.error);
      setOutgoing((all) => all.map((one) => (one.key === key ? { ...one, problem } : one)));
    });
  };
  return { outgoing, send, drop };
}

/** What a screen reader is told: messages of others that came since one entered, as a number when they come fast. */
function useNews(messages: ChatMessage[], me: User): string {
  const [news, setNews] = useState('');
  const heard = useRef<number | null>(null);
  useEffect(() => {
    const last = messages.at(-1)?.id ?? 0;
    const before = heard.current;
    heard.current = Math.max(last, before ?? 0);
    if (before === null) return;
    const fresh = messages.filter(
      ({ id, userId, message }) => id > before && userId !== me.userId && message !== null,
    );
    if (fresh.length > 3) setNews(`${fresh.length} new messages`);
    else if (fresh.length > 0)
      setNews(fresh.map(({ displayName, message }) => `${displayName}: ${message}`).join('. '));
  }, [messages, me]);
  return news;
}

/** Keeps a list scrolled to its end while the reader is at its end, and leaves it alone otherwise. */
function useStuckToEnd(length: number) {
  const list = useRef<HTMLOListElement>(null);
  const atEnd = useRef(true);
  useEffect(() => {
    const element = list.current;
    if (element === null) return;
    const look = () => {
      atEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < 24;
    };
    element.addEventListener('scroll', look, { passive: true });
    return () => element.removeEventListener('scroll', look);
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a longer list is what there is to react to
  useLayoutEffect(() => {
    if (atEnd.current && list.current !== null) list.current.scrollTop = list.current.scrollHeight;
  }, [length]);
  return list;
}

/** The room's chat: what was said, further back as one scrolls up, and what one is saying. */
import { Fragment, useCallback } from 'react';
import { useWorkshopChat } from '../../src/hooks/useWorkshopChat.ts';
import type { WorkshopSocket } from '../../src/hooks/useWorkshopSocket.ts';
import type { User } from '../shared/api.ts';
import { standingIn } from '../shared/standing.ts';
import { sayDay, useWords } from '../words/words.ts';
import { ChatLine } from './ChatLine.tsx';
import { Composer } from './Composer.tsx';
import { useChatNews } from './useChatNews.ts';
import type { Attempt } from './useNotices.ts';
import { useOlderChat } from './useOlderChat.ts';
import { type OutgoingMessages, useOutgoing } from './useOutgoing.ts';
import { useScrollback } from './useScrollback.ts';

interface ChatProps {
  me: User;
  room: WorkshopSocket;
  workshopId: number;
  attempt: Attempt;
}

export function Chat({ me, room, workshopId, attempt }: ChatProps) {
  const { chat } = useWords();
  const { messages, sendMessage, deleteMessage } = useWorkshopChat(room.socket, workshopId);
  const sending = useOutgoing(workshopId, sendMessage, room.joined);
  const older = useOlderChat(room, workshopId, messages);
  const { moderates, isOpen, isOver } = standingIn(room.workshopState, me.userId);
  const { list, unread, toEnd } = useScrollback({
    first: older.all[0]?.id,
    length: older.all.length + sending.outgoing.length,
    onTop: () => void older.load(),
  });
  const news = useChatNews(messages, me);
  const remove = useCallback(
    (messageId: number) => void attempt(deleteMessage(messageId)),
    [attempt, deleteMessage],
  );
  const send = (text: string) => {
    sending.send(text);
    toEnd();
  };
  const isEmpty = older.all.length + sending.outgoing.length === 0;

  return (
    <section className="card chat" aria-labelledby="chat">
      <h2 id="chat">{chat.heading}</h2>
      {isEmpty && isOpen && <p className="soft">{chat.empty}</p>}
      {/* Not itself a live region: a screen reader would read it all again after every change. */}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <div ref={list} className="log" role="log" aria-live="off" aria-labelledby="chat" tabIndex={0}>
        <ol className="messages">
          {older.state !== 'complete' && older.all.length > 0 && (
            <li className="older">
              <button type="button" className="quiet small" onClick={() => void older.load()}>
                {older.state === 'loading' ? chat.loadingOlder : chat.older}
              </button>
              {older.state === 'failed' && <span className="problem">{chat.olderFailed}</span>}
            </li>
          )}
          {older.all.map((message, index) => {
            const before = older.all[index - 1];
            const startsDay = before !== undefined && !isSameDay(before.createdAt, message.createdAt);
            return (
              <Fragment key={message.id}>
                {startsDay && <li className="day">{sayDay(message.createdAt)}</li>}
                <ChatLine
                  message={message}
                  mayDelete={isOpen && (moderates || message.userId === me.userId)}
                  onDelete={remove}
                />
              </Fragment>
            );
          })}
          <OutgoingLines {...sending} />
        </ol>
      </div>
      {unread > 0 && (
        <button type="button" className="pill" onClick={toEnd}>
          {chat.unread(unread)}
        </button>
      )}
      <p className="hidden" role="status">
        {news}
      </p>
      {!isOver && <Composer workshopId={workshopId} enabled={isOpen} onSend={send} />}
    </section>
  );
}

function OutgoingLines({ outgoing, again, drop }: OutgoingMessages) {
  const { chat } = useWords();
  return outgoing.map(({ key, text, problem }) => (
    <li key={key} className="outgoing">
      <p className="said" dir="auto">
        {text}
      </p>
      {problem === '' ? (
        <p className="soft">{chat.sending}</p>
      ) : (
        <p className="row">
          <span className="problem">{chat.notSent(problem)}</span>
          <button type="button" className="small" onClick={() => again(key)}>
            {chat.again}
          </button>
          <button type="button" className="quiet small" onClick={() => drop(key)}>
            {chat.discard}
          </button>
        </p>
      )}
    </li>
  ));
}

function isSameDay(one: Date, other: Date): boolean {
  return one.toDateString() === other.toDateString();
}

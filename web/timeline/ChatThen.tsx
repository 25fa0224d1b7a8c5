/** What had been said by then, the newest in view; a press on a line goes to where it was said. */
import { memo, useEffect, useRef } from 'react';
import type { ChatMessage } from '../../src/hooks/useWorkshopChat.ts';
import { Linked } from '../shared/Linked.tsx';
import { sayLength, useWords } from '../words/words.ts';
import { useTimelineWords } from './words.ts';

interface ChatThenProps {
  messages: ChatMessage[];
  /** To the version of a message, which is its id. */
  onGoTo(version: number): void;
}

/** What is further back is a press away. */
const shown = 100;

export const ChatThen = memo(function ChatThen({ messages, onGoTo }: ChatThenProps) {
  const { chat } = useWords();
  const { past } = useTimelineWords();
  const list = useRef<HTMLDivElement>(null);
  const last = messages.at(-1)?.id;
  // biome-ignore lint/correctness/useExhaustiveDependencies: with each message the list is longer
  useEffect(() => {
    list.current?.scrollTo({ top: list.current.scrollHeight });
  }, [last]);
  return (
    <section className="card chat" aria-labelledby="said-then">
      <h2 id="said-then">{chat.heading}</h2>
      {messages.length === 0 && <p className="soft">{past.nothingSaid}</p>}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <section ref={list} className="log" aria-labelledby="said-then" tabIndex={0}>
        <ol className="messages">
          {messages.slice(-shown).map((message) => (
            <Said key={message.id} message={message} onGoTo={onGoTo} />
          ))}
        </ol>
      </section>
    </section>
  );
});

interface SaidProps {
  message: ChatMessage;
  onGoTo(version: number): void;
}

const Said = memo(function Said({ message, onGoTo }: SaidProps) {
  const { chat } = useWords();
  const { past } = useTimelineWords();
  const at = sayLength(message.offsetMs);
  return (
    <li>
      <p className="byline">
        <strong className="clip">
          <bdi>{message.displayName}</bdi>
        </strong>
        <button
          type="button"
          className="quiet small"
          aria-label={past.goTo(message.displayName, at)}
          onClick={() => onGoTo(message.id)}
        >
          {at}
        </button>
      </p>
      <p className={message.message === null ? 'soft said' : 'said'} dir="auto">
        {message.message === null ? chat.deleted : <Linked text={message.message} />}
      </p>
    </li>
  );
});

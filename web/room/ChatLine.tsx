/** One message: who, when, what, and deleting it for whoever may. */
import { memo } from 'react';
import type { ChatMessage } from '../../src/hooks/useWorkshopChat.ts';
import { Avatar } from '../shared/Avatar.tsx';
import { Linked } from '../shared/Linked.tsx';
import { sayClock, useWords } from '../words/words.ts';

interface ChatLineProps {
  message: ChatMessage;
  mayDelete: boolean;
  onDelete(messageId: number): void;
}

export const ChatLine = memo(function ChatLine({ message, mayDelete, onDelete }: ChatLineProps) {
  const { chat } = useWords();
  const { id, displayName, createdAt, message: text } = message;
  return (
    <li className="line">
      <Avatar {...message} />
      <div className="grow">
        <p className="byline">
          <strong className="clip">
            <bdi>{displayName}</bdi>
          </strong>
          <time className="soft" dateTime={createdAt.toISOString()}>
            {sayClock(createdAt)}
          </time>
          {mayDelete && text !== null && (
            <button
              type="button"
              className="quiet small delete"
              aria-label={chat.deleteNamed(displayName)}
              onClick={() => onDelete(id)}
            >
              {chat.delete}
            </button>
          )}
        </p>
        <p className={text === null ? 'soft said' : 'said'} dir="auto">
          {text === null ? chat.deleted : <Linked text={text} />}
        </p>
      </div>
    </li>
  );
});

'use client';
import { useEffect, useState } from 'react';
import { useWorkshopChat, useWorkshopSocket } from 'workshop-rooms-client/react';

/** Whoever comes here says first that they come: only members are let in. */
export function Room({ workshopId }: { workshopId: number }) {
  const [isMember, setMember] = useState(false);
  useEffect(() => {
    fetch(`/api/workshops/${workshopId}/rsvp`, { method: 'POST' }).then(({ ok }) => setMember(ok));
  }, [workshopId]);
  return isMember ? <Inside workshopId={workshopId} /> : <p>One moment …</p>;
}

function Inside({ workshopId }: { workshopId: number }) {
  const { socket, connected, attendees } = useWorkshopSocket(workshopId);
  const { messages, sendMessage } = useWorkshopChat(socket, workshopId);
  const [text, setText] = useState('');
  const send = () => sendMessage(text).then(({ ok }) => ok && setText(''));
  return (
    <main>
      <p>{connected ? attendees.map(({ displayName }) => displayName).join(', ') : 'connecting'}</p>
      <ol>
        {messages.map(({ id, displayName, message }) => (
          <li key={id}>
            {displayName}: {message}
          </li>
        ))}
      </ol>
      <form action={send}>
        <input aria-label="Message" value={text} onChange={(event) => setText(event.target.value)} />
        <button type="submit">Send</button>
      </form>
    </main>
  );
}

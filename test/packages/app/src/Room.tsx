'use client';
import { useWorkshopChat, useWorkshopSocket } from 'workshop-rooms-client/react';

export function Room({ workshopId, token }: { workshopId: number; token: string }) {
  const { socket, joined, attendees } = useWorkshopSocket(workshopId, { token });
  const { messages, sendMessage } = useWorkshopChat(socket, workshopId);
  return (
    <main data-joined={joined}>
      <p>{attendees.map(({ displayName }) => displayName).join(', ')}</p>
      <ul>
        {messages.map(({ id, displayName, message }) => (
          <li key={id}>{`${displayName}: ${message}`}</li>
        ))}
      </ul>
      <button type="button" onClick={() => void sendMessage('hello, everyone')}>
        Say hello
      </button>
    </main>
  );
}

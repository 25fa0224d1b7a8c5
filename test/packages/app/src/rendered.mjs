// Rendered where there is no window.
import { createElement } from 'react';
import { renderToString } from 'react-dom/server';
import { useWorkshopChat, useWorkshopSocket } from 'workshop-rooms-client/react';

function Room() {
  const { socket, connected, attendees } = useWorkshopSocket(7);
  const { messages } = useWorkshopChat(socket, 7);
  return createElement('p', null, `${connected} ${attendees.length} ${messages.length}`);
}
console.log(renderToString(createElement(Room)));

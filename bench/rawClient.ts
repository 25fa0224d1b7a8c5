/**
 * The least that speaks to a Socket.IO server: frames of Engine.IO 4 and Socket.IO 5 by hand, over ws. A full client costs
 * several times as much for each message, and a thousand of them would be what is measured.
 */
import { WebSocket } from 'ws';

export interface RawClient {
  /** Sends an event without an acknowledgement. */
  emit(event: string, payload: unknown): void;
  ask(event: string, payload: unknown): Promise<unknown>;
  /** Stops reading; the connection stays. */
  pause(): void;
  close(): void;
}

const nsp = '/workshop,';

/** `heard` gets every event of the namespace as text: `["name",{…}]`. */
export async function rawClient(
  url: string,
  auth: object,
  heard: (text: string) => void,
): Promise<RawClient> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
  const asked = new Map<number, (reply: unknown) => void>();
  let lastId = 0;
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.on('message', (data, binary) => {
      if (binary) return;
      const text = data.toString();
      if (text.startsWith(`42${nsp}`)) heard(text.slice(2 + nsp.length));
      else if (text === '2') socket.send('3');
      else if (text.startsWith('0')) socket.send(`40${nsp}${JSON.stringify(auth)}`);
      else if (text.startsWith(`40${nsp}`)) resolve();
      else if (text.startsWith(`44${nsp}`)) reject(new Error(text));
      else if (text.startsWith(`43${nsp}`)) answer(text.slice(2 + nsp.length));
    });
  });

  function answer(text: string): void {
    const list = text.indexOf('[');
    const id = Number(text.slice(0, list));
    asked.get(id)?.((JSON.parse(text.slice(list)) as unknown[])[0]);
    asked.delete(id);
  }

  return {
    emit: (event, payload) => socket.send(`42${nsp}${JSON.stringify([event, payload])}`),
    ask: (event, payload) =>
      new Promise((resolve) => {
        asked.set(++lastId, resolve);
        socket.send(`42${nsp}${lastId}${JSON.stringify([event, payload])}`);
      }),
    pause: () => socket.pause(),
    // One that does not read would never see the other side's closing.
    close: () => (socket.isPaused ? socket.terminate() : socket.close()),
  };
}

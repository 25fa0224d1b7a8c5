/**
 * The least that speaks to a Socket.IO server: frames of Engine.IO 4 and Socket.IO 5 by hand, over ws. It can stop reading, as
 * a phone does that lost its network, and a thousand of them cost little.
 */
import { WebSocket } from 'ws';
import { until } from './until.ts';

export interface RawClient {
  /** Every event, in order: `[name, payload]`. */
  heard: [string, Json][];
  /** Whether the server ended it. */
  isClosed(): boolean;
  ask(event: string, payload: unknown): Promise<Json>;
  /** An event without an acknowledgement. */
  emit(event: string, payload: unknown): void;
  /** Any text at all, as one message. */
  send(text: string): void;
  /** Reads nothing more from the network. */
  pause(): void;
  resume(): void;
  close(): void;
}

// biome-ignore lint/suspicious/noExplicitAny: payloads are looked into by assertions alone
type Json = any;

export interface RawOptions {
  auth?: object;
  headers?: Record<string, string>;
  /** `/workshop` if left out. */
  namespace?: string;
  /** Keeps what it hears; true if left out. */
  keeps?: boolean;
}

/** Connected to the namespace; rejects with what the server refuses it with. */
export async function rawClient(url: string, options: RawOptions = {}): Promise<RawClient> {
  const { auth = {}, headers = {}, namespace = '/workshop', keeps = true } = options;
  const place = namespace === '/' ? '' : `${namespace},`;
  const socket = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`, {
    headers,
  });
  const heard: RawClient['heard'] = [];
  const asked = new Map<number, (reply: Json) => void>();
  let lastId = 0;

  function take(text: string): void {
    if (text.startsWith(`42${place}`) && keeps) heard.push(JSON.parse(text.slice(2 + place.length)));
    else if (text === '2') socket.send('3');
    else if (text.startsWith('0')) socket.send(`40${place}${JSON.stringify(auth)}`);
    else if (text.startsWith(`43${place}`)) {
      const list = text.indexOf('[', 2 + place.length);
      const id = Number(text.slice(2 + place.length, list));
      asked.get(id)?.(JSON.parse(text.slice(list))[0]);
      asked.delete(id);
    }
  }

  await new Promise<void>((resolve, reject) => {
    socket.on('error', reject);
    socket.once('close', () => reject(new Error('closed')));
    socket.on('message', (data) => {
      const text = data.toString();
      if (text.startsWith(`40${place}`)) resolve();
      else if (text.startsWith(`44${place}`)) reject(new Error(text.slice(2 + place.length)));
      else take(text);
    });
  });

  return {
    heard,
    isClosed: () => socket.readyState === WebSocket.CLOSED || socket.readyState === WebSocket.CLOSING,
    ask: (event, payload) =>
      new Promise((resolve) => {
        asked.set(++lastId, resolve);
        socket.send(`42${place}${lastId}${JSON.stringify([event, payload])}`);
      }),
    emit: (event, payload) => socket.send(`42${place}${JSON.stringify([event, payload])}`),
    send: (text) => socket.send(text),
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    close: () => socket.terminate(),
  };
}

/** The payloads of one kind of event. */
export function received(client: RawClient, name: string): Json[] {
  return client.heard.filter(([event]) => event === name).map(([, payload]) => payload);
}

export function hears(client: RawClient, name: string, matches: (payload: Json) => boolean = () => true) {
  return until(() => received(client, name).find(matches), {
    what: `a client to hear ${name}`,
    timeout: 15_000,
  });
}

/**
 * Messages to many sockets: encoded once, framed once, and written to each socket at once. Socket.IO would hand every message to every
 * socket by itself, 8 to 17 µs each; in a room of a thousand who come in one after another that is most of the work.
 *
 * Socket.IO 5: `2/workshop,["name",{…}]` is an event. Engine.IO 4: `4` before it makes it a message; a WebSocket has one to a frame,
 * an answer to a poll has several with U+001E between them.
 */
import type { Socket as NetSocket } from 'node:net';
import { namespace } from '../../protocol/wire.ts';
import type { Connection, WorkshopSocket } from './socket.ts';

export type Message = readonly [name: string, payload: unknown];
export type Sending = (socket: WorkshopSocket) => void;

/** Encodes messages; what it returns sends them, in order, to a socket. */
export function burst(messages: readonly Message[]): Sending {
  if (messages.length === 0) return () => undefined;
  const texts = messages.map((message) => `42${namespace},${JSON.stringify(message)}`);
  const frames = textFrames(texts);
  /** For the long way, once somebody takes it. */
  let packet: string | undefined;
  return (socket) => {
    const { conn } = socket;
    if (!takesFrames(socket)) {
      for (const [name, payload] of messages) socket.emit(name, payload);
      return;
    }
    const open = openSocketOf(conn);
    if (open !== undefined) {
      open.write(frames);
      return;
    }
    // JSON has no control characters, so none of them is taken for the one between messages.
    packet ??= texts.join('\u001e').slice(1);
    (conn as FrameWriter).write(packet, { wsPreEncodedFrame: [frames] });
  };
}

/** Made frames are what Socket.IO's own adapter hands over; there is no type for it. */
interface FrameWriter extends Omit<Connection, 'write'> {
  write(data: string, options: { wsPreEncodedFrame: Buffer[] }): void;
}

/** What engine.io and ws keep to themselves, as of engine.io 6 and ws 8. */
interface Inside {
  readyState: string;
  upgrading: boolean;
  writeBuffer: readonly unknown[];
  transport: { name: string; socket?: { readyState?: number; _socket?: NetSocket } };
}

/** What a server has on which others decide. */
interface Carrier {
  encoder: { encode(packet: object): unknown[] };
}
interface Engine {
  opts?: { perMessageDeflate?: unknown };
  ws?: { completeUpgrade?: unknown };
}

const takingFrames = new WeakMap<Engine, boolean>();

/**
 * Whether what is sent may be framed here: the packets are written as Socket.IO's own parser does, and ws takes frames as they are.
 * With compression an earlier message may still be under way in it, another parser has other packets and another library for
 * WebSockets takes no frames: then Socket.IO sends each message to each socket.
 */
function takesFrames({ conn, nsp }: WorkshopSocket): boolean {
  const { server: engine } = conn as unknown as { server: Engine };
  const known = takingFrames.get(engine);
  if (known !== undefined) return known;
  const { encoder } = nsp.server as unknown as Carrier;
  const takes =
    !engine.opts?.perMessageDeflate &&
    typeof engine.ws?.completeUpgrade === 'function' &&
    encoder.encode({ type: 2, nsp: namespace, data: ['name', 1] })[0] === `2${namespace},["name",1]`;
  takingFrames.set(engine, takes);
  return takes;
}

const webSocketIsOpen = 1;

/**
 * The TCP socket of a WebSocket on which nothing waits in engine.io: what is written there comes after everything that was sent so
 * far, since ws compresses nothing here and writes at once. It spares each socket the way through two libraries, 10 µs. Undefined
 * for every other connection, or where those libraries keep things elsewhere: those take the long way.
 */
function openSocketOf(connection: Connection): NetSocket | undefined {
  const { readyState, upgrading, writeBuffer, transport } = connection as unknown as Inside;
  if (readyState !== 'open' || upgrading || writeBuffer?.length !== 0) return undefined;
  if (transport.name !== 'websocket' || transport.socket?.readyState !== webSocketIsOpen) return undefined;
  const socket = transport.socket._socket;
  return socket?.writable ? socket : undefined;
}

/** Whole text messages, each in a frame, from a server and so not masked (RFC 6455, 5.2). */
function textFrames(texts: readonly string[]): Buffer {
  const lengths = texts.map((text) => Buffer.byteLength(text));
  const frames = Buffer.allocUnsafe(lengths.reduce((sum, length) => sum + headLength(length) + length, 0));
  let at = 0;
  for (const [index, text] of texts.entries()) {
    const length = lengths[index] ?? 0;
    at = writeHead(frames, at, length);
    at += frames.write(text, at);
  }
  return frames;
}

function headLength(length: number): number {
  if (length < 126) return 2;
  return length > 0xffff ? 10 : 4;
}

function writeHead(frames: Buffer, at: number, length: number): number {
  frames[at] = 0x81;
  if (length < 126) {
    frames[at + 1] = length;
    return at + 2;
  }
  if (length <= 0xffff) {
    frames[at + 1] = 126;
    return frames.writeUInt16BE(length, at + 2);
  }
  frames[at + 1] = 127;
  return frames.writeBigUInt64BE(BigInt(length), at + 2);
}

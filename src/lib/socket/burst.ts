/**
 * Several messages to each of many sockets: encoded once, and written to each socket at once. Socket.IO would hand every message
 * to every socket by itself, 8 to 17 µs each; in a room of a thousand who come in one after another that is most of the work.
 *
 * Socket.IO 5: `2/workshop,["name",{…}]` is an event. Engine.IO 4: `4` before it makes it a message; a WebSocket has one to a
 * frame, an answer to a poll has several with U+001E between them.
 */
import { namespace } from '../../protocol/wire.ts';
import type { Connection, WorkshopSocket } from './session.ts';

export type Message = readonly [name: string, payload: unknown];

/** A function that sends them, in order, to a socket. */
export function burst(messages: readonly Message[]): (socket: WorkshopSocket) => void {
  if (messages.length === 0) return () => undefined;
  // JSON has no control characters, so none of them is taken for the one between messages.
  const texts = messages.map((message) => `2${namespace},${JSON.stringify(message)}`);
  const polled = texts.join('\u001e4');
  const frames = [Buffer.concat(texts.map((text) => textFrame(`4${text}`)))];
  return ({ conn }) => (conn as FrameWriter).write(polled, { wsPreEncodedFrame: frames });
}

/** Made frames are what Socket.IO's own adapter hands over; there is no type for it. */
interface FrameWriter extends Omit<Connection, 'write'> {
  write(data: string, options: { wsPreEncodedFrame: Buffer[] }): void;
}

/** A whole text message, from a server and so not masked (RFC 6455, 5.2). */
function textFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  const { length } = payload;
  if (length < 126) return Buffer.concat([Buffer.from([0x81, length]), payload]);
  const long = length > 0xffff;
  const head = Buffer.alloc(long ? 10 : 4);
  head[0] = 0x81;
  head[1] = long ? 127 : 126;
  if (long) head.writeBigUInt64BE(BigInt(length), 2);
  else head.writeUInt16BE(length, 2);
  return Buffer.concat([head, payload]);
}

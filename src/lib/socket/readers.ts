/**
 * Connections that do not read what they are sent. Socket.IO keeps everything for them, without an end; so all connections are
 * looked at twice a second, and one that holds too much for too long is given up. Its client comes back and resumes, so nothing
 * is dropped in silence and nothing is lost.
 *
 * A connection holds something while its transport is busy: packets behind the ones under way, and what ws and the kernel have
 * not taken yet. Much of it is no fault – a state or what a resume missed can be more than the limit – as long as it shrinks.
 */
import type { Socket as NetSocket } from 'node:net';
import type { Connection, WorkshopNamespace, WorkshopSocket } from './socket.ts';

export interface ReaderSettings {
  /** What may wait for one connection for longer than a moment, in bytes. */
  maxBytes: number;
  /** How long nothing may be read while something waits, in milliseconds. */
  stalledMs: number;
  /** The same where more waits than `maxBytes`. */
  stalledFullMs: number;
}

export const readerSettings: ReaderSettings = {
  maxBytes: 1_048_576,
  stalledMs: 10_000,
  stalledFullMs: 2_000,
};

/** Gives nobody up, however much they hold. */
export const unboundedReaders: ReaderSettings = {
  maxBytes: Number.POSITIVE_INFINITY,
  stalledMs: Number.POSITIVE_INFINITY,
  stalledFullMs: Number.POSITIVE_INFINITY,
};

export interface Readers {
  close(): void;
}

/** How often connections are looked at, in milliseconds. */
const lookMs = 500;
/** What a packet takes beside its text. */
const packetBytes = 256;

/** What a connection was seen to hold. */
interface Seen extends Held {
  /** When something was last read of it, `performance.now()`. */
  readAt: number;
}

interface Held {
  bytes: number;
  /** What the kernel has taken so far, and what it still has to take of the last write. */
  written: number;
  underWay: number;
  /** engine.io begins a new list with each flush. */
  list: readonly Packet[];
}

interface Packet {
  data?: string | Buffer;
}

export function watchReaders(
  nsp: WorkshopNamespace,
  settings: ReaderSettings,
  giveUp: (socket: WorkshopSocket) => void,
): Readers {
  const seen = new WeakMap<Connection, Seen>();

  function look(): void {
    const now = performance.now();
    for (const socket of [...nsp.sockets.values()]) {
      const held = heldFor(socket.conn);
      if (held === undefined) seen.delete(socket.conn);
      else if (isTooSlow(socket.conn, held, now)) giveUp(socket);
    }
  }

  function isTooSlow(connection: Connection, held: Held, now: number): boolean {
    const before = seen.get(connection);
    const hasRead = before === undefined || reads(before, held);
    const readAt = hasRead ? now : before.readAt;
    seen.set(connection, { ...held, readAt });
    if (before === undefined) return false;
    const { maxBytes, stalledMs, stalledFullMs } = settings;
    const isFull = held.bytes > maxBytes;
    if (isFull && before.bytes > maxBytes && held.bytes > before.bytes) return true;
    return now - readAt > (isFull ? stalledFullMs : stalledMs);
  }

  const timer = setInterval(look, lookMs);
  return { close: () => clearInterval(timer) };
}

function reads(before: Held, after: Held): boolean {
  return after.written > before.written || after.underWay < before.underWay || after.list !== before.list;
}

/** Undefined where nothing waits. */
export function heldFor(connection: Connection): Held | undefined {
  const list = packetsOf(connection);
  const socket = netSocketOf(connection);
  const unsent = socket?.writableLength ?? 0;
  if (list.length === 0 && unsent === 0) return undefined;
  let bytes = unsent;
  for (const { data } of list) bytes += packetBytes + (data?.length ?? 0);
  const written = (socket?.bytesWritten ?? 0) - unsent;
  return { bytes, written, underWay: queued(socket), list };
}

/** engine.io keeps it to itself, and has no other word for what waits. */
function packetsOf(connection: Connection): readonly Packet[] {
  return (connection as unknown as { writeBuffer: readonly Packet[] }).writeBuffer;
}

/** Of a WebSocket; a connection that polls has no socket of its own. */
function netSocketOf({ transport }: Connection): NetSocket | undefined {
  const { socket } = transport as { socket?: { _socket?: NetSocket } };
  return socket?._socket;
}

/** How much of a large write the kernel has not taken: Node counts a write as a whole, when it is done. */
function queued(socket: NetSocket | undefined): number {
  return (socket as { _handle?: { writeQueueSize?: number } } | undefined)?._handle?.writeQueueSize ?? 0;
}

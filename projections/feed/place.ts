/**
 * A place in the feed of all workshops: how far its reader is in each partition, and how far into the stretch that a page ended in.
 * Opaque to readers, written as base64url of small numbers:
 *
 *   form, 4 bytes of the log's identity, 4 of the generation, the partition to go on with, the version reached in it,
 *   then the position reached in each partition
 */
import { createHash } from 'node:crypto';
import { CodedError } from '../../src/protocol/errors.ts';

export interface Place {
  /** The last position that was read, by partition. */
  positions: number[];
  /** Where the page goes on, so that a partition with much to tell does not keep the others waiting. */
  partition: number;
  /** Of the stretch after that partition's position: events up to this version were read. 0 where none were. */
  version: number;
}

export interface FeedOrigin {
  /** Of the log. */
  identity: string;
  /** Of the positions. */
  generation: string;
  partitions: number;
}

const form = 1;
const markBytes = 4;

export function beginning({ partitions }: FeedOrigin): Place {
  return { positions: new Array<number>(partitions).fill(0), partition: 0, version: 0 };
}

export function cursorOf({ positions, partition, version }: Place, origin: FeedOrigin): string {
  const numbers = [partition, version, ...positions].flatMap(varint);
  const marks = [origin.identity, origin.generation].flatMap((text) => [...markOf(text)]);
  return Buffer.from([form, ...marks, ...numbers]).toString('base64url');
}

/**
 * Where a cursor leads. One of this log whose positions are not counted any more – an embedded database was made again – leads to the
 * beginning: nothing may be passed over. Any other is `invalid_payload`.
 */
export function placeAt(cursor: string, origin: FeedOrigin): Place {
  const bytes = Buffer.from(cursor, 'base64url');
  if (bytes.toString('base64url') !== cursor || bytes[0] !== form) throw unknown();
  const marks = bytes.subarray(1, 1 + 2 * markBytes);
  const [partition, version, ...positions] = numbersIn(bytes.subarray(1 + 2 * markBytes));
  if (partition === undefined || version === undefined || positions.length !== origin.partitions)
    throw unknown();
  if (partition >= origin.partitions) throw unknown();
  if (!marks.subarray(0, markBytes).equals(markOf(origin.identity)))
    throw new CodedError('invalid_payload', 'after: the cursor is of another log: begin without one');
  if (!marks.subarray(markBytes).equals(markOf(origin.generation))) return beginning(origin);
  return { positions, partition, version };
}

function unknown(): CodedError {
  return new CodedError('invalid_payload', 'after: the cursor is not one that was given out here');
}

function markOf(text: string): Buffer {
  return createHash('sha256').update(text).digest().subarray(0, markBytes);
}

/** Seven bits to a byte, the lowest first; all but the last have the eighth (LEB128). */
function varint(value: number): number[] {
  const bytes: number[] = [];
  let left = value;
  for (; left >= 0x80; left = Math.floor(left / 0x80)) bytes.push((left % 0x80) | 0x80);
  return [...bytes, left];
}

function numbersIn(bytes: Uint8Array): number[] {
  const numbers: number[] = [];
  let value = 0;
  let unit = 1;
  for (const byte of bytes) {
    value += (byte & 0x7f) * unit;
    unit *= 0x80;
    if (byte >= 0x80) continue;
    if (!Number.isSafeInteger(value)) throw unknown();
    numbers.push(value);
    [value, unit] = [0, 1];
  }
  if (unit !== 1) throw unknown();
  return numbers;
}

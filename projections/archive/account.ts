/**
 * A workshop added up: its events as a rolling hash, and what folding them gives.
 *
 *   hash(0) = the empty text
 *   hash(n) = SHA-256 of hash(n − 1), a line feed, and event n as JSON: [version, eventId, type, schema, at, by, commandId, data],
 *             the keys of every object in order, so that it is the same wherever the event is kept
 *   state   = SHA-256 of the state of the room after the last event, everyone listed, without `epoch`, as JSON in the same form
 *   step(n) = the first two bytes of SHA-256 of what event n concerns, as it is after it
 *
 * Hashes are in hexadecimal. Events come as they are to be kept: under the schema that they were recorded with, a deleted
 * message without its text.
 */
import { createHash } from 'node:crypto';
import { eventOf, isEventType } from '../../src/domain/catalog.ts';
import { evolve, type RecordedEvent } from '../../src/domain/evolve.ts';
import { emptyRoom, isMember, isRemoved, type Room } from '../../src/domain/room.ts';
import { current } from '../../src/domain/upcast.ts';
import { attendeeView, chatView, stateView } from '../../src/protocol/wire.ts';

export interface Account {
  version: number;
  hash: string;
  state: string;
  /** Base 64. */
  steps: string;
}

export interface Accounting {
  /** Takes the next event. Throws where it does not fold. */
  add(event: RecordedEvent): void;
  /** The version of the last event that was taken. */
  version(): number;
  account(): Account;
}

const stepBytes = 2;

export function accounting(workshopId: number): Accounting {
  const room = emptyRoom(workshopId);
  const steps: Buffer[] = [];
  let hash = '';
  return {
    add(event) {
      evolve(room, event);
      hash = digest(`${hash}\n${eventText(event)}`).toString('hex');
      steps.push(digest(concernedText(room, event)).subarray(0, stepBytes));
    },
    version: () => room.version,
    account: () => ({
      version: room.version,
      hash,
      state: stateDigest(room),
      steps: Buffer.concat(steps).toString('base64'),
    }),
  };
}

/** The first version at which the two differ; undefined where they are the same as far as both go. */
export function firstDifference(steps: string, other: string): number | undefined {
  const [one, two] = [Buffer.from(steps, 'base64'), Buffer.from(other, 'base64')];
  const at = one.findIndex((byte, index) => index < two.length && byte !== two[index]);
  return at === -1 ? undefined : Math.floor(at / stepBytes) + 1;
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function eventText({ version, eventId, type, schema, at, by, commandId, data }: RecordedEvent): string {
  return canonical([version, eventId, type, schema, at, String(by), commandId, data]);
}

function stateDigest(room: Room): string {
  const { epoch: _, ...state } = stateView(room, '', Number.POSITIVE_INFINITY);
  return digest(canonical(state)).toString('hex');
}

/** The workshop itself, how many are where, and everyone whom the event's marks name: what people see, however it is kept. */
function concernedText(room: Room, event: RecordedEvent): string {
  const { status, title, description, visibility, capacity, durationMinutes, hostId } = room;
  const { scheduledAt, startedAt, endedAt, hostsAbsentSince } = room;
  const { members, coHosts, present, hands, chat, deleted } = room;
  const line = chat.at(-1);
  const marks = isEventType(event.type) ? eventOf(event.type).marks(current(event).data) : [];
  const people = marks.flatMap((mark) => (mark.startsWith('user:') ? [Number(mark.slice(5))] : []));
  return JSON.stringify([
    [status, title, description, visibility, capacity, durationMinutes, hostId],
    [scheduledAt, startedAt, endedAt, hostsAbsentSince],
    [members, coHosts, present, hands, deleted].map(({ size }) => size),
    line === undefined ? null : chatView(room, line),
    people.map((id) => [
      attendeeView(room, id),
      ...[isMember(room, id), isRemoved(room, id), present.has(id), hands.get(id) ?? null],
    ]),
  ]);
}

/** JSON with the keys of every object in order. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([one], [other]) => (one < other ? -1 : 1)))
      : each,
  );
}

/**
 * What the fold makes of the same events stands behind `reducer`: rooms that were kept under a number are used by every program
 * with that number. Here two histories are folded and their rooms hashed: the golden examples, and a long one of arbitrary
 * events of every type, also such as no command would have brought about.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { snapshotText } from '../../projections/snapshots/room.ts';
import { type EventType, eventTypes } from '../../src/domain/catalog.ts';
import { evolve, type RecordedEvent, reducer } from '../../src/domain/evolve.ts';
import { emptyRoom, type Room, statuses } from '../../src/domain/room.ts';

const folder = import.meta.dirname;

/** Numbers in [0, 1), always the same ones. */
function chances(): () => number {
  let state = 20_260_302;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state / 0x80000000;
  };
}

/** Data of each type of event. A new type is added at the end, and its examples are golden too. */
type Chance = (limit: number) => number;
const data: Record<EventType, (chance: Chance, version: number) => object> = {
  'workshop-scheduled': (chance) => ({
    ...{ hostId: 1, title: `Title ${chance(3)}`, description: null, durationMinutes: 60 },
    ...{ scheduledAt: '2026-03-02T10:00:00.000Z', visibility: 'private', capacity: chance(2) || null },
  }),
  'workshop-updated': (chance) => ({ title: `Other ${chance(9)}`, capacity: chance(9) || null }),
  'state-changed': (chance) => ({ status: statuses[chance(3)] }),
  'user-rsvped': (chance) => person(chance),
  'rsvp-withdrawn': (chance) => ({ userId: someone(chance) }),
  'user-invited': (chance) => ({ userId: someone(chance) }),
  'user-joined': (chance) => ({
    ...person(chance),
    ...{ isHost: false, isCoHost: false, canSpeak: chance(2) === 0 },
  }),
  'user-left': (chance) => ({ userId: someone(chance), reason: 'left' }),
  'user-removed': (chance) => ({ userId: someone(chance), by: 1 }),
  'user-readmitted': (chance) => ({ userId: someone(chance), by: 1 }),
  'cohost-promoted': (chance) => ({ userId: someone(chance), by: 1 }),
  'cohost-demoted': (chance) => ({ userId: someone(chance), by: 1 }),
  'hand-raised': (chance) => ({ userId: someone(chance) }),
  'hand-lowered': (chance) => ({ userId: someone(chance) }),
  'speaker-approved': (chance) => ({ userId: someone(chance), by: 1 }),
  'speaker-revoked': (chance) => ({ userId: someone(chance), by: 1 }),
  'user-muted': (chance) => ({ userId: someone(chance), by: 1 }),
  'chat-message': (chance, version) => ({ ...person(chance), message: `Message ${version}` }),
  'chat-deleted': (chance, version) => ({ id: Math.max(1, version - chance(40)), by: 1 }),
};

const someone = (chance: Chance) => 1 + chance(9);
function person(chance: Chance) {
  const userId = someone(chance);
  return { userId, displayName: `Person ${userId}.${chance(3)}`, avatarUrl: null };
}

/** The first one makes the workshop, the last one ends it; those between are of any type. */
function anyHistory(count: number): RecordedEvent[] {
  const next = chances();
  const chance: Chance = (limit) => Math.floor(next() * limit);
  const types = Object.keys(data) as EventType[];
  return Array.from({ length: count }, (_, index) => {
    const version = index + 1;
    const drawn = types[chance(types.length)] ?? 'user-muted';
    const type = version === 1 ? 'workshop-scheduled' : version === count ? 'state-changed' : drawn;
    const told = version === count ? { status: 'ended' } : data[type](chance, version);
    const [at, eventId] = [1_772_442_000_000 + version * 500, `e${version}`];
    return { version, at, eventId, type, schema: 1, by: 1, commandId: `c${version}`, data: told };
  });
}

/** In their own order, which is that of one workshop's history; of several schemas of a type the first. */
function goldenHistory(): RecordedEvent[] {
  const files = readdirSync(folder).filter((file) => /^[a-z-]+\.1\.json$/.test(file));
  const examples = files.map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as RecordedEvent);
  return examples.sort((a, b) => a.version - b.version);
}

/** All that a room is, and all that a snapshot keeps of it. */
function textOf(room: Room): string {
  const plain = (_: string, value: unknown) =>
    value instanceof Map || value instanceof Set ? [...value] : value;
  return `${JSON.stringify(room, plain)}\n${snapshotText({ room, chat: [] })}\n`;
}

function hashOfRooms(): string {
  const hash = createHash('sha256');
  for (const events of [goldenHistory(), anyHistory(1_500)]) {
    const room = emptyRoom(41);
    for (const event of events) {
      evolve(room, event);
      if (event.version % 10 === 0 || event === events.at(-1)) hash.update(textOf(room));
    }
  }
  return hash.digest('hex').slice(0, 16);
}

test('[T7] the same events give the same rooms under the same number of the fold', () => {
  const known = z
    .record(z.string(), z.string())
    .parse(JSON.parse(readFileSync(join(folder, 'reducer.json'), 'utf8')));
  expect(
    { [reducer]: hashOfRooms() },
    'the fold, the types of events or what a snapshot keeps changed: raise `reducer` in src/domain/evolve.ts and add the hash to reducer.json',
  ).toEqual({ [reducer]: known[reducer] });
  expect(Object.keys(known).map(Number)).toEqual(Array.from({ length: reducer }, (_, index) => index + 1));
});

test('the arbitrary history has every type of event', () => {
  expect(new Set(anyHistory(1_500).map(({ type }) => type))).toEqual(new Set(eventTypes));
});

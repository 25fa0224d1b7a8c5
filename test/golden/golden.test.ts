/**
 * Events are storage: one example of every event type in every schema number it ever had, kept for good, and the shape of
 * each schema in `shapes.json`. Together the examples are the history of one workshop: an example's `version` is its place.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type EventType, eventOf, eventTypes } from '../../src/domain/catalog.ts';
import { evolve, fold, type RecordedEvent } from '../../src/domain/evolve.ts';
import { current } from '../../src/domain/upcast.ts';

const folder = import.meta.dirname;
const read = (file: string): unknown => JSON.parse(readFileSync(join(folder, file), 'utf8'));

const envelope = z.strictObject({
  eventId: z.uuid({ version: 'v7' }),
  version: z.int().positive(),
  type: z.enum(eventTypes),
  schema: z.int().positive(),
  at: z.int().positive(),
  by: z.union([z.int().positive(), z.literal('system')]),
  commandId: z.string().min(1),
  data: z.record(z.string(), z.unknown()),
});

const files = readdirSync(folder).filter((file) => /^[a-z-]+\.\d+\.json$/.test(file));
const examples = files
  .map((file) => ({ file, event: envelope.parse(read(file)) }))
  .sort((a, b) => a.event.version - b.event.version);

/** What came before an example: the first example of each earlier version. */
function pastOf(version: number): RecordedEvent[] {
  const first = new Map<number, RecordedEvent>();
  for (const { event } of examples)
    if (event.version < version && !first.has(event.version)) first.set(event.version, event);
  return [...first.values()];
}

describe('the golden examples', () => {
  test.each(eventTypes)('of %s exist for every schema number it has had', (type) => {
    const numbers = examples.filter(({ event }) => event.type === type).map(({ event }) => event.schema);
    const { schema } = eventOf(type);
    expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: schema }, (_, index) => index + 1));
  });

  test.each(examples)('$file bears its type and schema number in its name', ({ file, event }) => {
    expect(file).toBe(`${event.type}.${event.schema}.json`);
  });

  test.each(examples)('$file is taken by its schema, and nothing in it is lost', ({ event }) => {
    const { data } = current(event);
    expect(eventOf(event.type).data.parse(data)).toEqual(data);
  });

  test.each(examples)('$file folds', ({ event }) => {
    const room = fold(41, pastOf(event.version));
    expect(room.version).toBe(event.version - 1);
    evolve(room, event);
    expect(room.version).toBe(event.version);
  });

  test('fold to the same room for good', () => {
    expect(fold(41, pastOf(Number.POSITIVE_INFINITY))).toEqual({
      id: 41,
      version: 19,
      at: 1_772_442_019_000,
      status: 'lobby',
      title: 'Drawing sea birds',
      description: null,
      visibility: 'private',
      capacity: 30,
      durationMinutes: 90,
      hostId: 1,
      scheduledAt: Date.parse('2026-03-02T10:30:00Z'),
      createdAt: 1_772_442_001_000,
      startedAt: null,
      endedAt: null,
      members: new Map([
        [1, { ...stranger, userId: 1, canSpeak: true }],
        [
          5,
          {
            ...stranger,
            userId: 5,
            displayName: 'Ana',
            avatarUrl: 'https://example.org/ana.png',
            invited: true,
          },
        ],
      ]),
      coHosts: new Set(),
      present: new Map(),
      hands: new Map(),
      hostsAbsentSince: 1_772_442_001_000,
      chat: [
        {
          id: 14,
          userId: 5,
          displayName: 'Ana',
          avatarUrl: 'https://example.org/ana.png',
          message: null,
          at: 1_772_442_014_000,
        },
      ],
      authors: new Map([[14, 5]]),
      deleted: new Set([14]),
    });
  });
});

const stranger = {
  displayName: null,
  avatarUrl: null,
  rsvped: false,
  invited: false,
  removed: false,
  canSpeak: false,
};

/**
 * A hash of the shape of an event's data: fields, types, bounds. What `refine` checks, such as the length of a text, is not
 * part of it, nor are patterns, which come with the schema library.
 */
function shapeOf(type: EventType): string {
  const { data } = eventOf(type);
  const plain = (key: string, value: unknown): unknown => {
    if (key === 'pattern' || key === '$schema') return undefined;
    if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  };
  const text = JSON.stringify(z.toJSONSchema(data, { io: 'input' }), plain);
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

describe('the shapes of event data', () => {
  const known = z.record(z.string(), z.string()).parse(read('shapes.json'));

  test.each(eventTypes)('%s has the shape that its schema number stands for', (type) => {
    const key = `${type}.${eventOf(type).schema}`;
    expect(
      shapeOf(type),
      `the data of ${type} changed: give it a new schema number and an upcast, a golden example of it, and a line in shapes.json (${key})`,
    ).toBe(known[key]);
  });

  test('are known for every schema number, and for none that never was', () => {
    const numbers = eventTypes.flatMap((type) =>
      Array.from({ length: eventOf(type).schema }, (_, index) => `${type}.${index + 1}`),
    );
    expect(Object.keys(known).sort()).toEqual(numbers.sort());
  });

  test.each(eventTypes)('%s uses none of the names that stand beside the data', (type) => {
    const { properties = {} } = z.toJSONSchema(eventOf(type).data, { io: 'input' });
    const reserved = ['workshopId', 'version', 'at', 'type', 'epoch', 'schema'];
    expect(Object.keys(properties).filter((name) => reserved.includes(name))).toEqual([]);
    expect(Object.keys(properties).length).toBeGreaterThan(0);
  });
});

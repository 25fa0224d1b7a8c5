/** What was recorded under an earlier schema reads as the newest one; what was recorded under a newer one is not guessed at. */
import { describe, expect, test } from 'vitest';
import { eventOf, eventTypes } from '../../src/domain/catalog.ts';
import { defineEvent, type EventDefinition } from '../../src/domain/define.ts';
import { deletedBy, erasedData, redactedData } from '../../src/domain/erasing.ts';
import { evolve, fold } from '../../src/domain/evolve.ts';
import { current, UnknownSchema } from '../../src/domain/upcast.ts';
import { historyEvent, wireEvent } from '../../src/protocol/wire.ts';
import { chosen1, chosen1Now, chosen2, chosen3, nameChosen, scheduled } from './testOnly/nameChosen.ts';

const nothing = { startedAt: null, deleted: new Set<number>() };

describe('an event of an earlier schema', () => {
  test('reads as one of the newest, and stays as it was recorded', () => {
    const before = structuredClone(chosen1);
    expect(current(chosen1)).toEqual(chosen1Now);
    expect(nameChosen.data.parse(current(chosen1).data)).toEqual(current(chosen1).data);
    expect(chosen1).toEqual(before);
  });

  test('folds as one of the newest', () => {
    const room = fold(41, [scheduled, chosen1, chosen2]);
    expect(room).toEqual(fold(41, [scheduled, chosen1Now, chosen2]));
    expect(room.members.get(5)).toMatchObject({ displayName: 'Ana', avatarUrl: null });
  });

  test('is served as one of the newest', () => {
    expect(wireEvent(chosen1, nothing)).toEqual(wireEvent(chosen1Now, nothing));
    expect(historyEvent(chosen1, nothing)).toEqual({
      ...chosen1Now,
      at: new Date(chosen1.at).toISOString(),
    });
  });

  test('loses what is deleted or erased in the form in which it is stored', () => {
    expect(redactedData(chosen1)).toEqual({ who: 5, name: '' });
    expect(erasedData(chosen1, 5)).toEqual({ who: 5, name: 'Erased user' });
    expect(erasedData(chosen1, 6)).toBe(chosen1.data);
    expect(current({ ...chosen1, data: erasedData(chosen1, 5) }).data).toEqual(erasedData(chosen1Now, 5));
  });
});

test('an event of the newest schema, and one of a type that nobody knows, is the very same object', () => {
  const unknown = { ...chosen2, type: 'confetti-thrown', schema: 9 };
  for (const event of [scheduled, chosen2, unknown]) expect(current(event)).toBe(event);
});

describe('an event of a schema that is not known', () => {
  const room = () => fold(41, [scheduled, chosen1, chosen2]);

  test.each([3, 9, 0, -1, 1.5, Number.NaN])('%s is refused by name, wherever it is read', (schema) => {
    const event = { ...chosen3, schema };
    const failure = expect.objectContaining({
      name: 'UnknownSchema',
      code: 'unavailable',
      message: `name-chosen has schema ${schema}, and this version knows it up to 2: a newer one has to read it`,
    });
    const reading: (() => unknown)[] = [
      () => current(event),
      () => evolve(room(), event),
      () => wireEvent(event, nothing),
      () => historyEvent(event, nothing),
      () => redactedData(event),
      () => erasedData(event, 5),
    ];
    for (const read of reading) expect(read).toThrow(failure);
  });

  test('leaves the room where it was', () => {
    const before = room();
    expect(() => evolve(before, chosen3)).toThrow(UnknownSchema);
    expect(before).toEqual(room());
  });

  test('deletes nothing', () => {
    const deletion = { ...chosen3, type: 'chat-deleted', schema: 2, data: { id: 2, by: 1 } };
    expect(deletedBy({ ...deletion, schema: 1 })).toBe(2);
    expect(deletedBy(deletion)).toBeUndefined();
  });
});

describe('a definition', () => {
  const definitions: EventDefinition[] = [
    ...eventTypes.map(eventOf),
    nameChosen as unknown as EventDefinition,
  ];

  test.each(definitions)(
    'of $type tells for each earlier schema what is deleted or erased of it',
    (definition) => {
      for (const past of definition.upcasts ?? []) {
        expect(past.redact !== undefined).toBe(definition.redact !== undefined);
        expect(past.erase !== undefined).toBe(definition.erase !== undefined);
      }
    },
  );

  test('without an upcast for each earlier schema is none', () => {
    expect(() => defineEvent({ ...nameChosen, schema: 3 })).toThrow('schema 3 needs 2 upcasts, and has 1');
  });
});
